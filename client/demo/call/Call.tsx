import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Room } from '../../src/index.ts';
import type { LocalDevices } from '../devices/LocalDevices.ts';
import { rememberCall } from '../resumption.ts';
import { recall, remember } from '../storage.ts';
import { useChanges } from '../useChanges.ts';
import { roomWords } from '../words/roomWords.ts';
import { BreakPanel } from './BreakPanel.tsx';
import { breakerUrl } from './breaker.ts';
import { CallHeader, type PanelName } from './CallHeader.tsx';
import { Chat } from './Chat.ts';
import { ChatPanel } from './ChatPanel.tsx';
import { ConnectionPanel } from './ConnectionPanel.tsx';
import { Controls } from './Controls.tsx';
import { Corner } from './Corner.tsx';
import { DeviceBanner } from './DeviceBanner.tsx';
import { Publications } from './Publications.ts';
import { pictures } from './people.ts';
import { RemoteAudio } from './RemoteAudio.tsx';
import { ServiceWatch } from './ServiceWatch.ts';
import { ShortcutsPanel } from './ShortcutsPanel.tsx';
import { Stage, type StageView } from './Stage.tsx';
import { StateBanner } from './StateBanner.tsx';
import { type Shortcut, useShortcuts } from './shortcuts.ts';
import { Toasts } from './Toasts.tsx';
import { useRoom } from './useRoom.ts';
import { useSpeaking } from './useSpeaking.ts';
import { useStats } from './useStats.ts';

interface CallProps {
  readonly room: Room;
  readonly name: string;
  readonly devices: LocalDevices;
}

export function Call({ room, name, devices }: CallProps) {
  const refresh = useRoom(room);
  useChanges(devices);
  const chat = useMemo(() => new Chat(room, name), [room]);
  useChanges(chat);
  const service = useMemo(() => new ServiceWatch(room, location.origin), [room]);
  useChanges(service);
  const stats = useStats(room);
  const { isSpeaking, speaker } = useSpeaking(room);
  const publications = useMemo(() => new Publications(room, devices), [room]);
  const [notice, setNotice] = useState<string>();
  const [blocked, setBlocked] = useState<readonly (() => void)[]>([]);
  const [view, setView] = useState<StageView>(recall('view') === 'speaker' ? 'speaker' : 'grid');
  const [panel, setPanel] = useState<PanelName>();
  const [read, setRead] = useState(0);
  const [keysEnabled, setKeysEnabled] = useState(recall('shortcuts') !== 'off');
  useEffect(() => {
    const stop = publications.on('failed', (error) => {
      const { title, text } = roomWords(error);
      setNotice(`The others cannot see or hear you. ${title}. ${text}`);
    });
    return () => {
      stop();
      publications.close();
      chat.close();
      service.close();
    };
  }, [publications]);
  const { microphoneOn } = publications;
  const cameraOn = devices.camera.wanted;
  useEffect(() => {
    rememberCall({ roomId: room.roomId, name, microphone: microphoneOn, camera: cameraOn });
  }, [room, name, microphoneOn, cameraOn]);
  useEffect(() => {
    if (panel === 'chat') setRead(chat.received);
  }, [panel, chat.received]);

  const attempt = (action: () => Promise<void>) => () => {
    action()
      .catch((error: Error) => setNotice(`That did not work: ${error.message}`))
      .finally(refresh);
  };
  const open = (wanted: PanelName) => setPanel(panel === wanted ? undefined : wanted);
  const changeView = () => {
    const other = view === 'grid' ? 'speaker' : 'grid';
    remember('view', other);
    setView(other);
  };
  const toggleMicrophone = attempt(() => publications.toggleMicrophone());
  const toggleCamera = attempt(() => publications.toggleCamera());
  const toggleScreen = attempt(() => publications.toggleScreen());
  const shortcuts: Shortcut[] = [
    { key: 'm', does: 'Mute and unmute', run: toggleMicrophone },
    { key: 'v', does: 'Camera on and off', run: toggleCamera },
    { key: 's', does: 'Share the screen, and stop', run: toggleScreen },
    { key: 'g', does: 'Change between grid and speaker view', run: changeView },
    { key: 'c', does: 'Chat', run: () => open('chat') },
    { key: 'i', does: 'Connection: how good it is', run: () => open('connection') },
    { key: 'k', does: 'This list', run: () => open('keys') },
    { key: 'escape', does: 'Close what is open', run: () => setPanel(undefined) },
  ];
  useShortcuts(shortcuts, keysEnabled);

  return (
    <div class="call" data-panel={panel}>
      <CallHeader
        room={room}
        view={view}
        panel={panel}
        canBreak={breakerUrl() !== undefined}
        onView={changeView}
        onPanel={open}
      />
      <main>
        <div class="banners">
          <StateBanner state={room.state} serviceAway={service.away} />
          <DeviceBanner devices={devices} />
        </div>
        <Stage
          pictures={pictures(room, name, microphoneOn)}
          view={view}
          speaker={speaker}
          isSpeaking={isSpeaking}
          corner={(shown) => <Corner shown={shown} stats={stats} numbers={panel === 'connection'} />}
        />
        {room.peers.size === 0 && <p class="alone">Nobody else is here yet. Send them the link.</p>}
      </main>
      {panel === 'chat' && <ChatPanel chat={chat} onClose={() => setPanel(undefined)} />}
      {panel === 'connection' && <ConnectionPanel room={room} stats={stats} onClose={() => setPanel(undefined)} />}
      {panel === 'break' && <BreakPanel room={room} onClose={() => setPanel(undefined)} />}
      {panel === 'keys' && (
        <ShortcutsPanel
          shortcuts={shortcuts}
          enabled={keysEnabled}
          onEnable={(enabled) => {
            remember('shortcuts', enabled ? 'on' : 'off');
            setKeysEnabled(enabled);
          }}
          onClose={() => setPanel(undefined)}
        />
      )}
      {room.remoteTracks
        .filter((track) => track.kind === 'audio')
        .map((track) => (
          <RemoteAudio
            key={track.id}
            track={track}
            speakerId={devices.speakerId}
            onBlocked={(play) => setBlocked((others) => [...others, play])}
            onFailed={setNotice}
          />
        ))}
      <Toasts
        notice={notice}
        onDismiss={() => setNotice(undefined)}
        onSound={
          blocked.length === 0
            ? undefined
            : () => {
                for (const play of blocked) play();
                setBlocked([]);
              }
        }
      />
      <Controls
        microphoneOn={microphoneOn}
        cameraOn={devices.camera.track !== undefined}
        sharing={publications.local('screen') !== undefined}
        chatOpen={panel === 'chat'}
        unread={chat.received - read}
        onMicrophone={toggleMicrophone}
        onCamera={toggleCamera}
        onScreen={toggleScreen}
        onChat={() => open('chat')}
        onLeave={() => room.leave()}
      />
    </div>
  );
}
