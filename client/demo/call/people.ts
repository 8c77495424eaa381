import type { RemoteTrack, Room, TrackSource } from '../../src/index.ts';

/** One picture on the stage: a person or a shared screen. */
export interface Picture {
  /** Stays the same while the picture is on the stage. */
  readonly key: string;
  readonly peerId: string;
  readonly name: string;
  readonly local: boolean;
  readonly source: 'camera' | 'screen';
  readonly video: RemoteTrack | MediaStreamTrack | undefined;
  readonly microphoneOff: boolean;
}

/** All pictures of the room: screens first, then this person, then the others in the order in which they joined. */
export function pictures(room: Room, ownName: string, microphoneOn: boolean): Picture[] {
  const own = (source: TrackSource) => room.localTracks.find((track) => track.source === source)?.track;
  const me = { peerId: room.peerId, name: ownName, local: true, microphoneOff: !microphoneOn };
  const all: Picture[] = [{ ...me, key: 'me', source: 'camera', video: own('camera') }];
  const screen = own('screen');
  if (screen) all.push({ ...me, key: 'my-screen', source: 'screen', video: screen });
  for (const [peerId, appData] of room.peers) all.push(...ofPeer(room, peerId, displayName(appData)));
  return all.sort((a, b) => Number(b.source === 'screen') - Number(a.source === 'screen'));
}

function ofPeer(room: Room, peerId: string, name: string): Picture[] {
  const find = (source: TrackSource) =>
    room.remoteTracks.find((track) => track.peerId === peerId && track.source === source);
  const camera = find('camera');
  const screen = find('screen');
  const person = { peerId, name, local: false, microphoneOff: find('microphone')?.muted ?? true };
  // A camera that was not received yet has no picture.
  const video = camera?.track && !camera.muted ? camera : undefined;
  const shown: Picture[] = [{ ...person, key: peerId, source: 'camera', video }];
  if (screen) shown.push({ ...person, key: `${peerId}/screen`, source: 'screen', video: screen });
  return shown;
}

/** By convention a peer's name is in its `appData`, which is not trusted. */
export function displayName(appData: Readonly<Record<string, unknown>> | undefined): string {
  const name = appData?.displayName;
  return typeof name === 'string' && name.trim() !== '' ? name.slice(0, 60) : 'Guest';
}
