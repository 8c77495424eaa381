import type { IncomingMessage } from 'node:http';
import { idSchema } from '@mediasoup-server/proto/ids';
import { SUBPROTOCOL } from '@mediasoup-server/proto/signaling';
import { RequestError } from '../errors.ts';

/** Who a connection says it is. */
export type Admission = {
  readonly roomId: string;
  readonly peerId: string;
  readonly token: string | undefined;
  /** The session that the client wants to go on with. */
  readonly sessionId: string | undefined;
};

/** Whether the client offers the subprotocol; a browser fails every connection whose subprotocol is not taken. */
export const offersProtoo = (request: IncomingMessage): boolean =>
  (request.headers['sec-websocket-protocol'] ?? '').split(',').some((name) => name.trim() === SUBPROTOCOL);

/**
 * Reads `?roomId=..&peerId=..[&token=..][&sessionId=..]`.
 *
 * @throws RequestError 400 that names the parameter at fault.
 */
export function readAdmission(request: IncomingMessage): Admission {
  const { searchParams } = new URL(request.url ?? '/', 'ws://daemon');
  const id = (name: string): string => {
    const given = searchParams.get(name);
    if (given === null) throw new RequestError(400, `the parameter ${name} is missing`);
    const parsed = idSchema.safeParse(given);
    if (!parsed.success) throw new RequestError(400, `the parameter ${name} ${parsed.error.issues[0]?.message}`);
    return parsed.data;
  };
  return {
    roomId: id('roomId'),
    peerId: id('peerId'),
    token: searchParams.get('token') ?? undefined,
    sessionId: searchParams.get('sessionId') ?? undefined,
  };
}
