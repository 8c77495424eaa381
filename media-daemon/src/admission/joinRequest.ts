import type { IncomingMessage } from 'node:http';
import { idSchema } from '@mediasoup-server/proto/ids';
import { SUBPROTOCOL } from '@mediasoup-server/proto/signaling';
import { decodeJwt } from 'jose';
import { RequestError } from '../errors.ts';

/** Who asks to join which room, as the address says it. */
export type JoinRequest = {
  readonly roomId: string;
  readonly peerId: string;
  readonly token: string | undefined;
  /** The trace of the assignment, as the token says; it is not verified. */
  readonly traceparent: string | undefined;
  /** The session that the client wants to resume. */
  readonly sessionId: string | undefined;
};

/** Whether the client offers the subprotocol; a browser fails every connection whose subprotocol is not accepted. */
export const offersProtoo = (request: IncomingMessage): boolean =>
  (request.headers['sec-websocket-protocol'] ?? '').split(',').some((name) => name.trim() === SUBPROTOCOL);

/**
 * Reads `?roomId=..&peerId=..[&token=..][&sessionId=..]`.
 *
 * @throws RequestError 400 that names the parameter at fault.
 */
export function readJoinRequest(request: IncomingMessage): JoinRequest {
  const { searchParams } = new URL(request.url ?? '/', 'ws://daemon');
  const id = (name: string): string => {
    const given = searchParams.get(name);
    if (given === null) throw new RequestError('INVALID_REQUEST', `the parameter ${name} is missing`);
    const parsed = idSchema.safeParse(given);
    if (!parsed.success)
      throw new RequestError('INVALID_REQUEST', `the parameter ${name} ${parsed.error.issues[0]?.message}`);
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
    // A malformed token is refused when it is verified.
    return undefined;
  }
}
