import type { LocalTrack, RemoteTrack, Room } from '../../src/index.ts';

/** One picture on the stage: a person, or a screen that somebody shares. */
export interface Picture {
  /** The same for as long as it is on the stage. */
  readonly key: string;
  readonly peerId: string;
  readonly name: string;
  readonly local: boolean;
  readonly source: 'camera' | 'screen';
  readonly video: RemoteTrack | MediaStreamTrack | undefined;
  readonly microphoneOff: boolean;
}

/** Everything that is to be seen in the room: screens first, then oneself, then the others in the order they came. */
export function pictures(room: Room, ownName: string, microphoneOn: boolean): Picture[] {
  const own = (source: 'camera' | 'screen'): LocalTrack | undefined =>
    room.localTracks.find(({ appData }) => appData.source === source);
  const me = { peerId: room.peerId, name: ownName, local: true, microphoneOff: !microphoneOn };
  const all: Picture[] = [{ ...me, key: 'me', source: 'camera', video: own('camera')?.track }];
  const screen = own('screen');
  if (screen) all.push({ ...me, key: 'my-screen', source: 'screen', video: screen.track });
  for (const [peerId, appData] of room.peers) all.push(...ofPeer(room, peerId, displayName(appData)));
  return all.sort((a, b) => Number(b.source === 'screen') - Number(a.source === 'screen'));
}

function ofPeer(room: Room, peerId: string, name: string): Picture[] {
  const tracks = room.remoteTracks.filter((track) => track.peerId === peerId);
  const find = (kind: 'audio' | 'video', isScreen: boolean) =>
    tracks.find((track) => track.kind === kind && String(track.appData.source).startsWith('screen') === isScreen);
  const camera = find('video', false);
  const screen = find('video', true);
  const person = { peerId, name, local: false, microphoneOff: find('audio', false)?.muted ?? true };
  const video = camera?.muted === false ? camera : undefined;
  const shown: Picture[] = [{ ...person, key: peerId, source: 'camera', video }];
  if (screen) shown.push({ ...person, key: `${peerId}/screen`, source: 'screen', video: screen });
  return shown;
}

/** By convention a peer's name is in its `appData`, which anybody can write what they like in. */
export function displayName(appData: Readonly<Record<string, unknown>> | undefined): string {
  const name = appData?.displayName;
  return typeof name === 'string' && name.trim() !== '' ? name.slice(0, 60) : 'Guest';
}
