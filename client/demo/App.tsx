import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JoinOptions, Room } from '../src/index.ts';
import { Call } from './call/Call.tsx';
import { LocalDevices } from './devices/LocalDevices.ts';
import { Ended } from './Ended.tsx';
import { Entering } from './Entering.tsx';
import { type Invitation, readInvitation } from './invitation.ts';
import { type JoinRequest, Landing } from './landing/Landing.tsx';
import { friendlyRoomName, randomPeerId } from './names.ts';
import { callToResume, forgetCall } from './resumption.ts';
import { recall, remember } from './storage.ts';
import type { Message } from './words/Message.ts';
import { roomWords } from './words/roomWords.ts';

declare global {
  interface Window {
    /** The room of the running call, for the developer tools. */
    room?: Room;
  }
}

type View =
  | { readonly name: 'landing' }
  | { readonly name: 'entering' }
  | { readonly name: 'call'; readonly room: Room }
  | { readonly name: 'ended'; readonly message: Message };

export function App() {
  const devices = useMemo(() => new LocalDevices(), []);
  const invitation = useInvitation();
  const [resumed] = useState(() => callToResume(invitation?.roomId || roomOfAddress()));
  const [request, setRequest] = useState<JoinRequest>(() => resumed ?? initialRequest());
  const [peerId] = useState(randomPeerId);
  const [view, setView] = useState<View>(resumed ? { name: 'entering' } : { name: 'landing' });
  // A person whose invitation was refused may open another link in this tab.
  const options = useMemo(() => joinOptions(request, peerId, invitation), [request, peerId, invitation]);

  useEffect(() => {
    if (!resumed || (resumed.camera && resumed.microphone)) devices.startBoth();
    // A camera or microphone that was off before a reload stays off.
    else if (resumed.camera) void devices.camera.start();
    else if (resumed.microphone) void devices.microphone.start();
  }, []);
  useEffect(() => {
    if (view.name !== 'call') return;
    const { room } = view;
    window.room = room;
    const ended = () => {
      const { state } = room;
      if (state.status !== 'closed') return;
      delete window.room;
      forgetCall();
      const left = { title: 'You left the call', text: 'You can join again at any time.' };
      setView({ name: 'ended', message: state.reason ? roomWords(state.reason) : left });
    };
    ended();
    return room.on('stateChanged', ended);
  }, [view]);

  switch (view.name) {
    case 'landing':
      return (
        <Landing
          initial={{ ...request, roomId: options.roomId }}
          invited={invitation !== undefined}
          devices={devices}
          onJoin={(wish) => {
            keep(wish, invitation);
            setRequest(wish);
            setView({ name: 'entering' });
          }}
        />
      );
    case 'entering':
      return (
        <Entering
          options={options}
          invitation={invitation}
          onJoined={(room) => setView({ name: 'call', room })}
          onBack={() => {
            forgetCall();
            setView({ name: 'landing' });
          }}
        />
      );
    case 'call':
      return <Call room={view.room} name={request.name} devices={devices} />;
    case 'ended':
      return (
        <Ended
          message={view.message}
          devices={devices}
          onRejoin={() => setView({ name: 'entering' })}
          onBack={() => setView({ name: 'landing' })}
        />
      );
  }
}

function joinOptions(request: JoinRequest, peerId: string, invitation: Invitation | undefined): JoinOptions {
  return {
    controlPlaneUrl: location.origin,
    roomId: invitation?.roomId || request.roomId,
    peerId: invitation?.peerId || peerId,
    appData: { displayName: request.name },
    ...(invitation ? { accessToken: invitation.token } : {}),
  };
}

/** The invitation in the address, which changes when the person opens another link in this tab. */
function useInvitation(): Invitation | undefined {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return useMemo(() => readInvitation(hash), [hash]);
}

const roomOfAddress = (): string => new URLSearchParams(location.search).get('room') ?? '';

function initialRequest(): JoinRequest {
  return {
    roomId: roomOfAddress() || friendlyRoomName(),
    name: recall('name') ?? '',
  };
}

/** Puts the room in the address, so that a reload joins it again, and stores the name. An invitation has its own room. */
function keep({ roomId, name }: JoinRequest, invitation: Invitation | undefined): void {
  const url = new URL(location.href);
  if (invitation) url.searchParams.delete('room');
  else url.searchParams.set('room', roomId);
  history.replaceState(null, '', url);
  document.title = `${roomId} · Video call`;
  remember('name', name);
}
