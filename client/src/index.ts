export type { VideoCodec } from './encodings.ts';
export { RoomError, type RoomErrorCode } from './errors.ts';
export type { LocalTrack, PublishOptions } from './LocalTrack.ts';
export type { PreferredLayers, RemoteTrack } from './RemoteTrack.ts';
export { type JoinOptions, Room, type RoomEvents, type RoomState } from './Room.ts';
