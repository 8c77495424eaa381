import type { Room, RoomStats, SentLayer } from '../../src/index.ts';
import { bitrate, layer, percent, picture } from './numbers.ts';
import { Panel } from './Panel.tsx';
import { displayName } from './people.ts';

const QUALITY = { good: 'Good', fair: 'Fair', poor: 'Poor', unknown: 'Measuring…' } as const;

interface ConnectionPanelProps {
  readonly room: Room;
  readonly stats: RoomStats | undefined;
  readonly onClose: () => void;
}

/** The statistics of the call: its daemon, and what is sent and received. */
export function ConnectionPanel({ room, stats, onClose }: ConnectionPanelProps) {
  return (
    <Panel title="Connection" name="connection" onClose={onClose}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls, and has no button in it, is scrolled with the keyboard. */}
      <div class="panel-body" tabIndex={0}>
        {!stats && <p class="muted">Measuring…</p>}
        {stats && (
          <>
            <dl class="facts">
              <Fact name="Quality" value={QUALITY[stats.quality]} />
              <Fact name="Media daemon" value={stats.daemonId ?? 'none now'} />
              <Fact
                name="Round trip"
                value={stats.roundTripMs === undefined ? '…' : `${Math.round(stats.roundTripMs)} ms`}
              />
              <Fact name="Receiving" value={bitrate(stats.receiveBitrate)} />
              <Fact name="Sending" value={bitrate(stats.sendBitrate)} />
              {stats.availableSendBitrate !== undefined && (
                <Fact name="Could send" value={bitrate(stats.availableSendBitrate)} />
              )}
            </dl>
            <h3>Sent</h3>
            <ul class="tracks">
              {stats.local.map((local) => (
                <li key={local.track.id}>
                  <strong>{local.track.source ?? local.track.kind}</strong>
                  <span>
                    {facts(local.codec, picture(local), bitrate(local.bitrate), `${percent(local.lossRate)} lost`)}
                  </span>
                  {sentLayers(local.layers).length > 1 && (
                    <span>
                      {sentLayers(local.layers)
                        .map(({ height, bitrate: bits }) => `${height ?? '?'}p ${bitrate(bits)}`)
                        .join(' · ')}
                    </span>
                  )}
                  {local.limitedBy && <span>Limited by {local.limitedBy}</span>}
                </li>
              ))}
            </ul>
            <h3>Received</h3>
            {stats.remote.length === 0 && <p class="muted">Nothing now.</p>}
            <ul class="tracks">
              {stats.remote.map((remote) => (
                <li key={remote.track.id}>
                  <strong>
                    {displayName(room.peers.get(remote.track.peerId))}: {remote.track.source ?? remote.track.kind}
                  </strong>
                  <span>
                    {facts(remote.codec, picture(remote), bitrate(remote.bitrate), `${percent(remote.lossRate)} lost`)}
                  </span>
                  <span>
                    {facts(
                      layer(remote),
                      remote.jitterMs === undefined ? undefined : `jitter ${Math.round(remote.jitterMs)} ms`,
                    )}
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Panel>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const sentLayers = (layers: readonly SentLayer[]): readonly SentLayer[] =>
  layers.filter(({ bitrate: bits }) => bits > 0);

const facts = (...known: readonly (string | undefined)[]): string =>
  known.filter((fact) => fact !== undefined && fact !== '').join(' · ');
