import type { RoomError } from './errors.ts';
import type { LocalTrack, UnpublishCause } from './LocalTrack.ts';
import type { Data } from './messages/numbered.ts';
import type { RemoteTrack } from './RemoteTrack.ts';
import type { RoomState } from './recovery/RoomState.ts';

/** What a room tells: each event's listeners get these arguments. */
export interface RoomEvents {
  stateChanged: [state: RoomState];
  peerJoined: [peerId: string, appData: Record<string, unknown>];
  peerUpdated: [peerId: string, appData: Record<string, unknown>];
  peerLeft: [peerId: string];
  localTrackPublished: [track: LocalTrack];
  localTrackUnpublished: [track: LocalTrack, cause: UnpublishCause];
  /** It was muted or unmuted, by its owner or the server, or sends another MediaStreamTrack. */
  localTrackChanged: [track: LocalTrack];
  remoteTrackPublished: [track: RemoteTrack];
  remoteTrackUnpublished: [track: RemoteTrack];
  /** Its MediaStreamTrack is there. It stays subscribed through every loss. */
  trackSubscribed: [track: RemoteTrack];
  trackUnsubscribed: [track: RemoteTrack];
  /** It was muted or unmuted, or its state, MediaStreamTrack, layers or score have changed. */
  remoteTrackChanged: [track: RemoteTrack];
  /** Who speaks most: another peer or oneself; `undefined` while nobody does. */
  activeSpeakerChanged: [peerId: string | undefined];
  /** Who is heard and how loud, in dBov from -127 to 0: others than before, or one of them louder or quieter by 6 dB. */
  audioLevelsChanged: [levels: ReadonlyMap<string, number>];
  /** Another peer has called `Room.send`; the topic is there where it gave one. */
  dataReceived: [peerId: string, data: Data, topic?: string];
  /** A message that this peer sent was refused for good, and why: the grant `data` may be missing. */
  sendFailed: [error: RoomError];
  /** Messages to this peer waited for so long that they are lost, so many at most. */
  messagesMissed: [count: number];
  /** What a backend sent; who it says that it is. */
  serverMessage: [from: string, data: unknown];
}
