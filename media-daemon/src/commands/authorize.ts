import { status } from '@grpc/grpc-js';
import type { MediaDaemon } from '@mediasoup-server/proto/daemon';
import type { Call } from '@mediasoup-server/proto/grpc';
import { ALL_ROOMS, type CommandScope } from '@mediasoup-server/proto/http';
import { CommandError } from './CommandError.ts';

/** What a command token lets its bearer do. */
export type CommandGrant = {
  readonly room: string;
  readonly scopes: readonly string[];
  /** Unix time in ms. */
  readonly expiresAt: number;
};

/** Lets a call pass until a time (Unix time in ms), or throws CommandError UNAUTHENTICATED or PERMISSION_DENIED. */
export type Authorize = (call: Pick<Call, 'method' | 'metadata' | 'request'>) => Promise<number>;

type Method = keyof (typeof MediaDaemon)['method'];

const scopes: Record<Method, CommandScope> = {
  getInfo: 'rooms:read',
  createRoom: 'rooms:write',
  getRoom: 'rooms:read',
  listRooms: 'rooms:read',
  closeRoom: 'rooms:write',
  listPeers: 'rooms:read',
  closePeer: 'rooms:write',
  pauseProducer: 'rooms:write',
  resumeProducer: 'rooms:write',
  closeProducer: 'rooms:write',
  sendNotification: 'rooms:write',
  getStats: 'rooms:read',
  drain: 'daemon:drain',
  watchEvents: 'rooms:read',
};

/** @param check verifies a token; throws RequestError 401, or 503 while it cannot. */
export const authorizeByToken =
  (check: (token: string) => Promise<CommandGrant>): Authorize =>
  async ({ method, metadata, request }) => {
    const token = /^Bearer (\S+)$/i.exec(String(metadata.get('authorization')[0]))?.[1];
    if (token === undefined) throw new CommandError(status.UNAUTHENTICATED, 'a bearer token is missing');
    const grant = await check(token);
    const needed = scopes[method.localName as Method];
    if (!grant.scopes.includes(needed))
      throw new CommandError(status.PERMISSION_DENIED, `the token lacks the scope ${needed}`);
    // Commands of no room, such as the list of them all, are not for who has one room.
    const { roomId } = request as { roomId?: string };
    if (grant.room !== ALL_ROOMS && grant.room !== roomId)
      throw new CommandError(status.PERMISSION_DENIED, 'the token is for another room');
    return grant.expiresAt;
  };
