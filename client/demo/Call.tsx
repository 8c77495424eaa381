import { useEffect, useState } from 'preact/hooks';
import type { LocalTrack, Room } from '../src/index.ts';
import { Grid } from './Grid.tsx';
import { Icon } from './Icon.tsx';
import { canShareScreen, openMedia, openScreen } from './media.ts';
import { mediaProblemMessage } from './messages.ts';
import { RemoteAudio } from './RemoteAudio.tsx';
import { StateBadge } from './StateBadge.tsx';
import { Tile, type TileProps } from './Tile.tsx';
import { useRoom } from './useRoom.ts';

type Source = 'microphone' | 'camera' | 'screen';

interface CallProps {
  readonly room: Room;
  readonly name: string;
  /** Shown when the call begins, for example that there is no camera. */
  readonly notice: string | undefined;
}

export function Call({ room, name, notice: firstNotice }: CallProps) {
  const refresh = useRoom(room);
  const [notice, setNotice] = useState(firstNotice);
  const [blocked, setBlocked] = useState<readonly (() => void)[]>([]);
  useEffect(() => {
    if (notice === undefined) return;
    const timer = setTimeout(() => setNotice(undefined), 8000);
    return () => clearTimeout(timer);
  }, [notice]);

  const local = (source: Source) => room.localTracks.find((track) => track.appData.source === source);
  const microphone = local('microphone');
  const camera = local('camera');
  const screen = local('screen');

  const attempt = (action: () => Promise<void>) => () => {
    action()
      .catch((error: Error) => setNotice(`That did not work: ${error.message}`))
      .finally(refresh);
  };
  const publish = async (source: 'microphone' | 'camera') => {
    const media = await openMedia({ microphone: source === 'microphone', camera: source === 'camera' });
    const track = media[source];
    if (track) await room.publish(track, { appData: { source }, simulcast: source === 'camera' });
    if (media.problem) {
      const { title, text } = mediaProblemMessage(media.problem.cause, media.problem.what);
      setNotice(`${title}. ${text}`);
    }
  };
  const unpublish = async (track: LocalTrack) => {
    // Stopping it, not only muting it, turns the camera's light off.
    track.track.stop();
    await track.close();
  };

  const toggleMicrophone = attempt(async () => {
    if (!microphone) await publish('microphone');
    else if (microphone.muted) await microphone.unmute();
    else await microphone.mute();
  });
  const toggleCamera = attempt(() => (camera ? unpublish(camera) : publish('camera')));
  const toggleScreen = attempt(async () => {
    if (screen) return unpublish(screen);
    const track = await openScreen();
    if (track) await room.publish(track, { appData: { source: 'screen' } });
  });
  const copyLink = attempt(async () => {
    const url = new URL(location.href);
    url.search = `?room=${encodeURIComponent(room.roomId)}`;
    const copied = await navigator.clipboard?.writeText(url.href).then(
      () => true,
      () => false,
    );
    setNotice(copied ? 'Link copied: send it to whom you want to meet.' : `The link of this room: ${url.href}`);
  });

  const micOff = !microphone || microphone.muted;
  const tiles: TileProps[] = [
    { peerId: room.peerId, name, local: true, source: 'camera', video: camera?.track, micMuted: micOff },
    ...remoteTiles(room),
  ];
  if (screen) {
    tiles.unshift({
      peerId: room.peerId,
      name,
      local: true,
      source: 'screen',
      video: screen.track,
      micMuted: undefined,
    });
  }
  tiles.sort((a, b) => Number(b.source === 'screen') - Number(a.source === 'screen'));

  return (
    <div class="call">
      <header>
        <h1 title={room.roomId}>{room.roomId}</h1>
        <StateBadge status={room.state.status} />
        <button type="button" class="quiet" onClick={copyLink} data-testid="copy-link" aria-label="Copy link">
          <Icon name="link" />
          <span class="wide-only">Copy link</span>
        </button>
      </header>
      <main>
        <Grid>
          {tiles.map((tile) => (
            <Tile key={`${tile.peerId}/${tile.source}`} {...tile} />
          ))}
        </Grid>
        {room.peers.size === 0 && <p class="alone">Nobody else is here yet. Send them the link.</p>}
      </main>
      {room.remoteTracks
        .filter((track) => track.kind === 'audio')
        .map((track) => (
          <RemoteAudio
            key={track.producerId}
            track={track}
            onBlocked={(play) => setBlocked((others) => [...others, play])}
          />
        ))}
      <div class="toasts" aria-live="polite">
        {notice !== undefined && (
          <p class="toast">
            {notice}
            <button type="button" class="quiet" aria-label="Dismiss" onClick={() => setNotice(undefined)}>
              ✕
            </button>
          </p>
        )}
        {blocked.length > 0 && (
          <button
            type="button"
            class="primary"
            onClick={() => {
              for (const play of blocked) play();
              setBlocked([]);
            }}
          >
            Turn on the sound
          </button>
        )}
      </div>
      <footer>
        <Control id="mute" icon="mic" off={micOff} label={micOff ? 'Unmute' : 'Mute'} onClick={toggleMicrophone} />
        <Control
          id="camera"
          icon="camera"
          off={!camera}
          label={camera ? 'Camera off' : 'Camera on'}
          onClick={toggleCamera}
        />
        {canShareScreen() && (
          <Control
            id="screen"
            icon="screen"
            active={screen !== undefined}
            label={screen ? 'Stop sharing' : 'Share screen'}
            onClick={toggleScreen}
          />
        )}
        <Control id="leave" icon="leave" danger label="Leave" onClick={() => room.leave()} />
      </footer>
    </div>
  );
}

/** A tile for every peer, and one more for every screen that is shared. */
function remoteTiles(room: Room): TileProps[] {
  return [...room.peers].flatMap(([peerId, { displayName }]) => {
    const name = typeof displayName === 'string' && displayName !== '' ? displayName : 'Guest';
    const tracks = room.remoteTracks.filter((track) => track.peerId === peerId);
    const videos = tracks.filter((track) => track.kind === 'video');
    const cameraTrack = videos.find((track) => track.appData.source !== 'screen' && !track.muted);
    const audio = tracks.find((track) => track.kind === 'audio');
    const screens = videos.filter((track) => track.appData.source === 'screen');
    const person: TileProps = {
      peerId,
      name,
      local: false,
      source: 'camera',
      video: cameraTrack?.track,
      micMuted: audio?.muted ?? true,
    };
    return [
      person,
      ...screens.map(
        ({ track }): TileProps => ({ peerId, name, local: false, source: 'screen', video: track, micMuted: undefined }),
      ),
    ];
  });
}

interface ControlProps {
  readonly id: string;
  readonly icon: 'mic' | 'camera' | 'screen' | 'leave';
  readonly label: string;
  readonly off?: boolean;
  readonly active?: boolean;
  readonly danger?: boolean;
  readonly onClick: () => void;
}

function Control({ id, icon, label, off = false, active = false, danger = false, onClick }: ControlProps) {
  return (
    <button
      type="button"
      data-testid={id}
      class={`control ${off ? 'off' : ''} ${active ? 'active' : ''} ${danger ? 'danger' : ''}`}
      onClick={onClick}
      title={label}
    >
      <Icon name={icon} crossed={off} />
      <span>{label}</span>
    </button>
  );
}
