import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type failureTable, leftOver } from './failureTable.ts';
import { callOf } from './rtp.ts';
import { SharedStore } from './SharedStore.ts';
import { type Daemon, type Ending, Stack } from './stack.ts';
import { TcpProxy } from './TcpProxy.ts';
import { waitForSuccess, waitUntil } from './waitUntil.ts';

const settings = {
  // Shorter than the default, so that the control plane soon knows what has changed.
  CONTROL_PLANE_HEARTBEAT_INTERVAL_MS: '200',
  // No browser is used, so the demo page need not be built.
  CONTROL_PLANE_STATIC_DIR: '',
};
/** For tests of a silent daemon, which is then noticed soon. On a busy machine daemons are late that are not silent. */
export const SUSPICIOUS = { CONTROL_PLANE_SUSPECT_AFTER_MS: '1000' };

/** A control plane with shared tables, and three daemons behind relays. */
export async function startTableFleet(t: Ending, more: Record<string, string> = {}) {
  const store = await SharedStore.start(t);
  const stack = await Stack.start(t, { ...settings, ...store.settings, ...more }, 'tables');
  const relays = new Map<string, { http: TcpProxy; grpc: TcpProxy }>();
  const daemons = new Map<string, Daemon>();
  const start = async (id: string) => {
    const http = await TcpProxy.start(t, Number(new URL(stack.controlPlaneUrl).port));
    const grpc = await TcpProxy.start(t);
    const daemon = await stack.startDaemon(id, {
      MEDIA_DAEMON_CONTROL_PLANE_URL: `http://127.0.0.1:${http.port}`,
      MEDIA_DAEMON_GRPC_ADDRESS: `127.0.0.1:${grpc.port}`,
      MEDIA_DAEMON_PING_INTERVAL_MS: '60000',
      MEDIA_DAEMON_MOVE_DEADLINE_MS: '1000',
    });
    grpc.to = Number(daemon.ready.grpcPort);
    daemons.set(id, daemon);
    relays.set(id, { http, grpc });
  };
  await Promise.all(['daemon-a', 'daemon-b', 'daemon-c'].map(start));
  const metric = async (name: string) => {
    const text = await (await fetch(`http://127.0.0.1:${stack.ready.metricsPort}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  };
  return { stack, store, daemons, relays, metric };
}

let rooms = 0;

/** A call between two peers in a room of its own. Its outages become a row of the table. */
export async function callInFleet(
  t: TestContext,
  { stack, daemons, relays }: Awaited<ReturnType<typeof startTableFleet>>,
  table: ReturnType<typeof failureTable>,
) {
  const roomId = `room-${++rooms}`;
  const { daemonId } = await stack.assign(roomId, 'first');
  const serving = daemons.get(daemonId);
  const relay = relays.get(daemonId);
  assert.ok(serving && relay);
  const { receiver } = await callOf(t, serving.url, roomId);
  const more = async (packets: number) => {
    const enough = receiver.received.length + packets;
    await waitUntil(`${packets} packets have come`, () => receiver.received.length >= enough);
  };
  /** Milliseconds until a joiner is assigned to a daemon that satisfies the condition. */
  const untilAssigned = async (wanted: (to: string) => boolean) => {
    const since = performance.now();
    await waitForSuccess('a joiner is assigned to the right daemon', async () => {
      const { daemonId: to } = await stack.assign(roomId, 'joiner');
      assert.ok(wanted(to), to);
    });
    return Math.round(performance.now() - since);
  };
  /** Adds a row to the table: the outages of media and joiners, and what is left over. */
  const report = async (done: string, joiners: string) => {
    const left = await leftOver(t, stack, roomId, daemons);
    const { received } = receiver;
    const lost = received.reduce(
      (sum, now, at) => sum + (at > 0 ? (now - (received[at - 1] ?? 0) - 1) & 0xffff : 0),
      0,
    );
    table.add(done, `${lost} of ${received.length} packets lost`, joiners, left);
  };
  return { roomId, daemonId, serving, relay, receiver, more, untilAssigned, report };
}
