import type { RoomError } from './errors.ts';
import type { LocalTrack, UnpublishCause } from './LocalTrack.ts';
import type { Data } from './messages/numbered.ts';
import type { RemoteTrack } from './RemoteTrack.ts';
import type { RoomState } from './recovery/RoomState.ts';

/** The events of a room, with the arguments of their listeners. */
export interface RoomEvents {
  stateChanged: [state: RoomState];
  peerJoined: [peerId: string, appData: Record<string, unknown>];
  peerUpdated: [peerId: string, appData: Record<string, unknown>];
  peerLeft: [peerId: string];
  localTrackPublished: [track: LocalTrack];
  localTrackUnpublished: [track: LocalTrack, cause: UnpublishCause];
  /** The track was muted or unmuted, by its owner or the server, or sends another MediaStreamTrack. */
  localTrackChanged: [track: LocalTrack];
  remoteTrackPublished: [track: RemoteTrack];
  remoteTrackUnpublished: [track: RemoteTrack];
  /** The track is received. It stays subscribed whatever connections are lost. */
  trackSubscribed: [track: RemoteTrack];
  trackUnsubscribed: [track: RemoteTrack];
  /** The track was muted or unmuted, or its state, MediaStreamTrack, layers or score has changed. */
  remoteTrackChanged: [track: RemoteTrack];
  /** The peer that speaks most, which may be this one; `undefined` while nobody speaks. */
  activeSpeakerChanged: [peerId: string | undefined];
  /** The volume of each peer that is heard, in dBov from -127 to 0: of other peers than before, or changed by 6 dB. */
  audioLevelsChanged: [levels: ReadonlyMap<string, number>];
  /** Another peer has called `Room.send`, with this topic if it gave one. */
  dataReceived: [peerId: string, data: Data, topic?: string];
  /** A message of this peer was refused for good, for example because its token lacks the grant `data`. */
  sendFailed: [error: RoomError];
  /** Messages to this peer waited too long and are lost: at most so many. */
  messagesMissed: [count: number];
  /** A message of a backend, and the name that the backend gave. */
  serverMessage: [from: string, data: unknown];
}
