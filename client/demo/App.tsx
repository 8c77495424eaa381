import { useEffect, useState } from 'preact/hooks';
import { Room, RoomError } from '../src/index.ts';
import { Call } from './Call.tsx';
import { JoinForm, type JoinRequest } from './JoinForm.tsx';
import { type LocalMedia, openMedia, stopMedia } from './media.ts';
import { type Message, mediaProblemMessage, roomErrorMessage } from './messages.ts';
import { friendlyRoomName, randomPeerId } from './names.ts';
import { StateBadge } from './StateBadge.tsx';

declare global {
  interface Window {
    /** The room of the running call, for the developer tools. */
    room?: Room;
  }
}

type View =
  | { readonly name: 'form'; readonly busy: boolean; readonly error?: Message & { offerWithoutMedia: boolean } }
  | { readonly name: 'call'; readonly room: Room; readonly media: LocalMedia; readonly notice: string | undefined }
  | { readonly name: 'ended'; readonly message: Message };

export function App() {
  const [request, setRequest] = useState(initialRequest);
  const [view, setView] = useState<View>({ name: 'form', busy: false });

  const room = view.name === 'call' ? view.room : undefined;
  useEffect(() => {
    if (!room) return;
    return room.on('stateChanged', (state) => {
      if (state.status !== 'closed') return;
      delete window.room;
      const message = state.reason
        ? roomErrorMessage(state.reason.code, state.reason.message)
        : { title: 'You left the call', text: 'You can come back at any time.' };
      setView({ name: 'ended', message });
    });
  }, [room]);

  const join = async (wish: JoinRequest) => {
    setRequest(wish);
    setView({ name: 'form', busy: true });
    remember(wish);
    const media = await openMedia(wish.wanted);
    if (media.problem?.cause === 'denied') {
      stopMedia(media);
      const message = mediaProblemMessage('denied', media.problem.what);
      setView({ name: 'form', busy: false, error: { ...message, offerWithoutMedia: true } });
      return;
    }
    setView(await enter(wish, media));
  };

  switch (view.name) {
    case 'form':
      return <JoinForm initial={request} busy={view.busy} error={view.error} onJoin={(wish) => void join(wish)} />;
    case 'call':
      return <Call room={view.room} name={request.name} notice={view.notice} />;
    case 'ended':
      return (
        <main class="page">
          <section class="card" aria-live="polite">
            <StateBadge status="closed" />
            <h1>{view.message.title}</h1>
            <p class="muted">{view.message.text}</p>
            <button type="button" class="primary" onClick={() => setView({ name: 'form', busy: false })}>
              Join again
            </button>
          </section>
        </main>
      );
  }
}

async function enter(wish: JoinRequest, media: LocalMedia): Promise<View> {
  try {
    const room = await Room.join({
      controlPlaneUrl: location.origin,
      roomId: wish.roomId,
      peerId: randomPeerId(),
      appData: { displayName: wish.name },
    });
    window.room = room;
    // The microphone and the camera that the room publishes are this page's to stop.
    room.on('trackUnpublished', ({ track }) => track.stop());
    const failures = await Promise.all([
      publishing(media.microphone && room.publish(media.microphone, { appData: { source: 'microphone' } })),
      publishing(media.camera && room.publish(media.camera, { appData: { source: 'camera' }, simulcast: true })),
    ]);
    const problem = media.problem && mediaProblemMessage(media.problem.cause, media.problem.what);
    const notice = problem ? `${problem.title}. ${problem.text}` : failures.find((failure) => failure !== undefined);
    return { name: 'call', room, media, notice };
  } catch (error) {
    stopMedia(media);
    const { code, message } = RoomError.from(error);
    return { name: 'form', busy: false, error: { ...roomErrorMessage(code, message), offerWithoutMedia: false } };
  }
}

/** What to tell about a track that could not be published; the call goes on without it. */
async function publishing(published: Promise<unknown> | undefined): Promise<string | undefined> {
  try {
    await published;
    return undefined;
  } catch (error) {
    return `The others cannot see or hear you: ${RoomError.from(error).message}`;
  }
}

function initialRequest(): JoinRequest {
  return {
    roomId: new URLSearchParams(location.search).get('room') || friendlyRoomName(),
    name: stored('name') ?? '',
    wanted: { microphone: true, camera: true },
  };
}

function remember({ roomId, name }: JoinRequest): void {
  const url = new URL(location.href);
  url.searchParams.set('room', roomId);
  history.replaceState(null, '', url);
  document.title = `${roomId} · Video call`;
  try {
    localStorage.setItem('name', name);
  } catch {
    // Storage is off in this browser: the name is asked for again next time.
  }
}

function stored(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}
