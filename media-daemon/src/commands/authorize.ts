import type { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { ALL_ROOMS, type CommandScope } from '@mediasoup-server/proto/http';
import type { Call } from '@mediasoup-server/server-kit/grpcService';
import { RequestError } from '../errors.ts';

/** What a command token lets its bearer do. */
export type CommandGrant = {
  readonly room: string;
  readonly scopes: readonly string[];
  /** Unix time in ms. */
  readonly expiresAt: number;
  /** Which run of which daemon the token is for: the control plane's own tokens say so, backends' do not. */
  readonly daemon?: DaemonIdentity | undefined;
};

type DaemonIdentity = { readonly daemonId: string; readonly incarnation: string };

/** Lets a call pass until a time (Unix time in ms), or throws RequestError UNAUTHORIZED, FORBIDDEN or INCARNATION_MISMATCH. */
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

/**
 * @param check verifies a token; throws RequestError 401, or 503 while it cannot.
 * @param identity who the daemon is now.
 */
export const authorizeByToken =
  (check: (token: string) => Promise<CommandGrant>, identity: () => DaemonIdentity): Authorize =>
  async ({ method, metadata, request }) => {
    const token = /^Bearer (\S+)$/i.exec(String(metadata.get('authorization')[0]))?.[1];
    if (token === undefined) throw new RequestError('UNAUTHORIZED', 'a bearer token is missing');
    const grant = await check(token);
    const own = grant.daemon;
    if (own) {
      const { daemonId, incarnation } = identity();
      if (own.daemonId !== daemonId || own.incarnation !== incarnation)
        throw new RequestError('INCARNATION_MISMATCH', 'the token is for another incarnation of a media daemon');
      // The control plane asks whether this incarnation lives.
      if (method.localName === 'getInfo') return grant.expiresAt;
    }
    const needed = scopes[method.localName as Method];
    if (!grant.scopes.includes(needed)) throw new RequestError('FORBIDDEN', `the token lacks the scope ${needed}`);
    // Commands of no room, such as the list of them all, are not for who has one room.
    const { roomId, epoch = 0n, movedEpoch = 0n } = request as { roomId?: string; epoch?: bigint; movedEpoch?: bigint };
    if (grant.room !== ALL_ROOMS && grant.room !== roomId)
      throw new RequestError('FORBIDDEN', 'the token is for another room');
    // One that is too great would keep the control plane from ever placing the room again.
    if (!own && (epoch !== 0n || movedEpoch !== 0n))
      throw new RequestError('FORBIDDEN', 'epochs come from the control plane alone');
    return grant.expiresAt;
  };
