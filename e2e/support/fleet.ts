import type { TestContext } from 'node:test';
import { RoomClient, type Watched } from '@mediasoup-server/backend-client';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { SignJWT } from 'jose';
import { type Daemon, Stack } from './stack.ts';
import { TcpProxy } from './TcpProxy.ts';
import { waitUntil } from './waitUntil.ts';

export const SECRET = 'a secret of the tests that is long enough';
/** An access token that the fleet's control plane accepts. */
export const accessToken = (sub: string, room: string, grants: object) =>
  new SignJWT({ sub, room, grants, aud: 'mediasoup-server', exp: Math.floor(Date.now() / 1000) + 600 })
    .setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' })
    .sign(new TextEncoder().encode(SECRET));

/** A control plane in mode `jwt`, daemons whose gRPC goes through relays, and a backend's client. */
export async function fleet(t: TestContext, daemons: number) {
  const stack = await Stack.start(t, {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: SECRET,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
  });
  const running = new Map<string, Daemon & { relay: TcpProxy }>();
  const start = async (daemonId: string) => {
    const relay = await TcpProxy.start(t);
    const daemon = await stack.startDaemon(daemonId, {
      MEDIA_DAEMON_MODE: 'jwt',
      MEDIA_DAEMON_GRPC_ADDRESS: `127.0.0.1:${relay.port}`,
    });
    relay.to = Number(daemon.ready.grpcPort);
    running.set(daemonId, { ...daemon, relay });
  };
  await Promise.all(Array.from({ length: daemons }, (_, index) => start(`daemon-${index}`)));
  const admin = await accessToken('backend', '*', { admin: true });
  const rooms = new RoomClient({ controlPlaneUrl: stack.controlPlaneUrl, accessToken: admin });
  t.after(() => rooms.close());
  const join = async (peerId: string, roomId = 'lobby') => {
    const token = await accessToken(peerId, roomId, { publish: true, subscribe: true });
    const { url, daemonId } = await stack.assign(roomId, peerId, stack.controlPlaneUrl, token);
    const client = await SignalingClient.openUrl(url);
    await client.request('joinRoom', { roomId, peerId });
    return { client, daemonId };
  };
  return { stack, running, admin, rooms, join };
}

/** Watches a room until the test ends, and records the events. */
export function watching(t: TestContext, rooms: RoomClient, roomId = 'lobby', from: { cursor?: string } = {}) {
  const seen: string[] = [];
  let cursor = '';
  const stop = new AbortController();
  t.after(() => stop.abort());
  const describe = (watched: Watched) => {
    if (watched.is === 'missed') return 'missed';
    const { kind } = watched.event;
    return `${kind.case}${kind.value && 'peerId' in kind.value ? ` ${kind.value.peerId}` : ''}`;
  };
  const ended = (async () => {
    for await (const watched of rooms.watch(roomId, { ...from, signal: stop.signal })) {
      seen.push(describe(watched));
      cursor = watched.cursor;
    }
  })();
  const until = async (what: string) => {
    await waitUntil(
      `the watch says "${what}"`,
      () => seen.includes(what),
      () => seen,
    );
  };
  /** Ends the watch. Returns the cursor to continue from. */
  const leave = async () => {
    stop.abort();
    await ended;
    return cursor;
  };
  return { seen, until, ended, leave };
}
