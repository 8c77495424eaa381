import type { IncomingMessage } from 'node:http';
import { idSchema } from '@mediasoup-server/proto/ids';
import { SUBPROTOCOL } from '@mediasoup-server/proto/signaling';
import { decodeJwt } from 'jose';
import { RequestError } from '../errors.ts';

/** Who a connection says it is. */
export type Admission = {
  readonly roomId: string;
  readonly peerId: string;
  readonly token: string | undefined;
  /** Where the assignment was in its trace, as the token says before anybody has checked it. */
  readonly traceparent: string | undefined;
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
  const token = searchParams.get('token') ?? undefined;
  return {
    roomId: id('roomId'),
    peerId: id('peerId'),
    token,
    traceparent: token === undefined ? undefined : traceparentOf(token),
    sessionId: searchParams.get('sessionId') ?? undefined,
  };
}

function traceparentOf(token: string): string | undefined {
  try {
    const { traceparent } = decodeJwt(token);
    return typeof traceparent === 'string' ? traceparent : undefined;
  } catch {
    // What is no token is refused when it is checked.
    return undefined;
  }
}
