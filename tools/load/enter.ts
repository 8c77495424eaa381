import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { SignJWT } from 'jose';
import type { TransportOptions } from '../../e2e/support/rtp.ts';

/** The deployment under load. */
export type Target = {
  /** A control plane (`http://`, `https://`) or a media daemon (`ws://`, `wss://`). */
  readonly url: string;
  /** The secret that signs access tokens, where the control plane requires them. */
  readonly tokenSecret?: string | undefined;
};

export type Entered = {
  readonly client: SignalingClient;
  readonly transport: TransportOptions & { readonly transportId: string };
  readonly rtpCapabilities: { readonly codecs: readonly { readonly mimeType: string }[] };
};

/**
 * Joins a room, with a transport in one direction.
 *
 * @throws Error when the join is refused.
 */
export async function enter(
  target: Target,
  roomId: string,
  peerId: string,
  direction: 'send' | 'recv',
): Promise<Entered> {
  const url = target.url.startsWith('ws') ? direct(target.url, roomId, peerId) : await assigned(target, roomId, peerId);
  const client = await SignalingClient.openUrl(url).catch((error) => {
    throw new Error(`${new URL(url).origin}: ${error.message}`);
  });
  // A refused client gets the reason in a notification before the socket closes.
  const refused = client.notified('error').then(({ code, reason }) => {
    throw new Error(`connection refused: ${code} ${reason}`);
  });
  const joining = client.request('joinRoom', { roomId, peerId, transports: [direction] });
  const joined = await Promise.race([refused, joining]).catch((error) => {
    client.close();
    throw error;
  });
  return { client, transport: joined.transports[direction], rtpCapabilities: joined.rtpCapabilities };
}

function direct(url: string, roomId: string, peerId: string): string {
  const to = new URL(url);
  to.searchParams.set('roomId', roomId);
  to.searchParams.set('peerId', peerId);
  return to.href;
}

async function assigned({ url, tokenSecret }: Target, roomId: string, peerId: string): Promise<string> {
  const authorization = tokenSecret && { authorization: `Bearer ${await accessToken(tokenSecret, roomId, peerId)}` };
  const at = new URL(`rooms/${encodeURIComponent(roomId)}/assignments`, `${url.replace(/\/$/, '')}/`);
  const answer = await fetch(at, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify({ peerId }),
  }).catch((error) => {
    throw new Error(`${at.origin}: ${error.cause?.message ?? error.message}`);
  });
  // The server at this URL may not be a control plane.
  const body: { url?: string; code?: string; title?: string; detail?: string } = await answer.json().catch(() => ({}));
  if (!answer.ok || !body.url)
    throw new Error(
      `no assignment: ${[answer.status, body.code, body.detail ?? body.title].filter(Boolean).join(' ')}`,
    );
  return body.url;
}

const accessToken = (secret: string, roomId: string, peerId: string): Promise<string> =>
  new SignJWT({ room: roomId, grants: { publish: true, subscribe: true, data: false, admin: false } })
    .setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' })
    .setAudience('mediasoup-server')
    .setSubject(peerId)
    .setExpirationTime('5 minutes')
    .sign(new TextEncoder().encode(secret));
