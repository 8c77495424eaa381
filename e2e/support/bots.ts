import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { JoinOptions } from '@mediasoup-server/client';
import { Bot } from './Bot.ts';
import { connectThrough } from './programSockets.ts';
import { commandsOf, type Daemon, type Ending, Stack } from './stack.ts';
import { TcpProxy } from './TcpProxy.ts';
import { waitUntil } from './waitUntil.ts';

/** A control plane, and daemons whose WebSockets go through relays. */
export type BotFleet = {
  readonly stack: Stack;
  readonly daemons: ReadonlyMap<string, Daemon>;
  /** By the port that the daemon listens on. */
  readonly relays: ReadonlyMap<string, TcpProxy>;
};

/** @param environment settings of the daemons. */
export async function startBotFleet(
  t: Ending,
  daemonIds: readonly string[] = ['daemon-a'],
  environment: Record<string, string> = {},
): Promise<BotFleet> {
  const stack = await Stack.start(t);
  // The end of a test waits one ping interval for a blackholed socket.
  const daemons = await stack.startDaemons(daemonIds, { MEDIA_DAEMON_PING_INTERVAL_MS: '2000', ...environment });
  const relays = new Map<string, TcpProxy>();
  for (const { url } of daemons.values()) {
    const { port } = new URL(url);
    relays.set(port, await TcpProxy.start(t, Number(port)));
  }
  return { stack, daemons, relays };
}

let rooms = 0;

/** Alice and Bob join a room of their own, without publishing. */
export async function joinBots(t: TestContext, { stack, daemons, relays }: BotFleet) {
  connectThrough(t, new Map([...relays].map(([port, relay]) => [port, relay.port])));
  const roomId = `room-${++rooms}`;
  const options: Omit<JoinOptions, 'peerId'> = { controlPlaneUrl: stack.controlPlaneUrl, roomId };
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  const bob = await Bot.join(t, { ...options, peerId: 'bob' });
  const { state } = alice.room;
  const daemon = state.status === 'connected' ? daemons.get(state.daemonId) : undefined;
  const relay = daemon && relays.get(new URL(daemon.url).port);
  assert.ok(daemon && relay, 'Alice is connected');
  return { options, roomId, daemon, relay, alice, bob };
}

/** Alice publishes sound and pictures, which Bob receives, in a room of their own. */
export async function callBots(t: TestContext, fleet: BotFleet) {
  const joined = await joinBots(t, fleet);
  const { alice, bob, daemon, roomId } = joined;
  await alice.publish();
  /** Waits until this many more frames and pieces of sound have come over each of two tracks. */
  const receivesMore = async (count: number) => {
    const from = new Map(bob.received);
    const grown = () => [...bob.received].map(([id, now]) => now - (from.get(id) ?? 0));
    await waitUntil(
      `${count} more come over both tracks`,
      () => grown().filter((more) => more >= count).length >= 2,
      grown,
    );
  };
  const hasLiveTracks = (count: number) =>
    waitUntil(
      `Bob has ${count} live tracks`,
      () => liveTracks(bob).length === count,
      () => bob.room.remoteTracks.map(({ kind, state }) => ({ kind, state })),
    );
  /** The producers of the room, as the daemon counts them. */
  const producers = async () => {
    const { room } = await commandsOf(t, daemon).getRoom({ roomId });
    return room?.peers.reduce((sum, peer) => sum + peer.producers, 0) ?? 0;
  };
  await receivesMore(20);
  return { ...joined, receivesMore, hasLiveTracks, producers };
}

export const liveTracks = ({ room }: Bot) => room.remoteTracks.filter(({ state }) => state === 'live');

/** Waits until a room's connection has a status. */
export const untilStatus = ({ room }: Bot, status: string): Promise<void> =>
  waitUntil(
    `${room.peerId} is ${status}`,
    () => room.state.status === status,
    () => room.state,
  );
