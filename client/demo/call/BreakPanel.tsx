import { useEffect, useState } from 'preact/hooks';
import type { Room, RoomState } from '../../src/index.ts';
import { type Break, breakSomething } from './breaker.ts';
import { Panel } from './Panel.tsx';
import { stateWords } from './StateBadge.tsx';
import { watchFreezes } from './watchFreezes.ts';

const BREAKS: readonly { readonly what: Break; readonly label: string; readonly text: string }[] = [
  {
    what: 'socket',
    label: 'Drop the socket',
    text: 'Cuts your WebSocket as a bad network would. Media goes on; the session resumes.',
  },
  {
    what: 'worker',
    label: 'Kill the media worker',
    text: 'Ends the process that forwards your media. The room is made again on a new one.',
  },
  {
    what: 'daemon',
    label: 'Kill the daemon',
    text: 'Ends the whole media server with kill -9. The room moves to another, which is started first.',
  },
  {
    what: 'drain',
    label: 'Drain the daemon',
    text: 'Asks everybody to move to another media server, as before an upgrade.',
  },
];

interface Line {
  /** Milliseconds since the failure was caused. */
  readonly at: number;
  readonly words: string;
}

/** Causes real failures and shows how the call recovers. Only a development server offers this. */
export function BreakPanel({ room, onClose }: { room: Room; onClose: () => void }) {
  const [begun, setBegun] = useState<number>();
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (begun === undefined) return;
    const add = (words: string) => setLines((before) => [...before, { at: performance.now() - begun, words }]);
    const ends = [
      room.on('stateChanged', (state: RoomState) => add(stateWords(state))),
      watchFreezes((label, ms) => add(`${label} stood still for ${Math.round(ms)} ms`)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [room, begun]);

  const run = async (what: Break, label: string) => {
    const { state } = room;
    if (!('daemonId' in state)) return;
    setBusy(true);
    const start = performance.now();
    setBegun(start);
    setLines([{ at: 0, words: label }]);
    const say = (words: string) => setLines((before) => [...before, { at: performance.now() - start, words }]);
    await breakSomething(what, { daemonId: state.daemonId, peerId: room.peerId }).then(
      () => say('Done. Watch what happens.'),
      (error: Error) => say(`It could not be broken: ${error.message}`),
    );
    setBusy(false);
  };

  return (
    <Panel title="Break something" name="break" onClose={onClose}>
      <div class="panel-body">
        <p class="muted">For development. Each of these really happens, to everybody in the call.</p>
        <div role="log" data-testid="timeline" aria-label="What happened">
          <ol class="timeline">
            {lines.map(({ at, words }, index) => (
              <li key={index}>
                <span class="at">{Math.round(at)} ms</span>
                <span>{words}</span>
              </li>
            ))}
          </ol>
        </div>
        <ul class="breaks">
          {BREAKS.map(({ what, label, text }) => (
            <li key={what}>
              <button type="button" data-testid={`break-${what}`} disabled={busy} onClick={() => void run(what, label)}>
                {label}
              </button>
              <p>{text}</p>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}
