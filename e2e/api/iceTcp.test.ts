import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bot } from '../support/Bot.ts';
import { startBotFleet } from '../support/bots.ts';
import { framesIn } from '../support/framesIn.ts';
import { connectThrough, hear } from '../support/programSockets.ts';
import { assertNoGap } from '../support/rtp.ts';
import { metricsOf } from '../support/stack.ts';
import { TcpProxy } from '../support/TcpProxy.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** Of each stream. */
const PACKETS = 100;
/** Sound and pictures of one publisher. */
const TRACKS = 2;
const FRAMES = 50;
/** mediasoup's probes of bandwidth, whose sequence numbers all transports of a worker share. */
const PROBES = 1234;

type Transport = { iceCandidates: { protocol: string; port: number }[] };

/** The answer to `joinRoom` with candidates of TCP only, at the proxy; other messages as they are. */
function onlyTcp(text: string, proxy: TcpProxy): string {
  const message = JSON.parse(text);
  const transports: Record<string, Transport> = message.data?.transports ?? {};
  for (const transport of Object.values(transports)) {
    const [candidate] = transport.iceCandidates.filter(({ protocol }) => protocol === 'tcp');
    if (!candidate) throw new Error('the daemon offers no TCP');
    proxy.to = candidate.port;
    transport.iceCandidates = [{ ...candidate, port: proxy.port }];
  }
  return JSON.stringify(message);
}

test('peers over ICE-TCP get every packet in order, beside a viewer whose datagrams the worker batches', async (t) => {
  const fleet = await startBotFleet(t, ['daemon-a'], { MEDIA_DAEMON_WORKERS: '1' });
  const daemon = fleet.daemons.get('daemon-a') ?? assert.fail();
  const proxy = await TcpProxy.start(t);
  /** The sequence numbers of each stream to each viewer, in the order in which they came. */
  const streams = new Map<string, number[]>();
  let connections = 0;
  proxy.tap = (far) => {
    const connection = ++connections;
    framesIn(far, (packet) => {
      const [first = 0, second = 0] = packet;
      // STUN, DTLS and RTCP share the connection (RFC 7983, RFC 5761).
      if (first >> 6 !== 2 || (second >= 192 && second <= 223)) return;
      const ssrc = packet.readUInt32BE(8);
      if (ssrc === PROBES) return;
      const stream = `connection ${connection}, SSRC ${ssrc}`;
      streams.set(stream, [...(streams.get(stream) ?? []), packet.readUInt16BE(2)]);
    });
  };

  connectThrough(t, new Map());
  hear((text) => [onlyTcp(text, proxy)]);
  const options = { controlPlaneUrl: fleet.stack.controlPlaneUrl, roomId: 'room' };
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  const viewers = [
    await Bot.join(t, { ...options, peerId: 'bob' }),
    await Bot.join(t, { ...options, peerId: 'carol' }),
  ];
  hear();
  const dave = await Bot.join(t, { ...options, peerId: 'dave' });
  await alice.publish();

  const played = () => [...viewers, dave].map(({ received }) => [...received.values()]);
  const plays = (tracks: number[]) => tracks.length === TRACKS && tracks.every((frames) => frames >= FRAMES);
  await waitUntil(`each viewer plays ${FRAMES} frames of each track`, () => played().every(plays), played);
  const whole = () => [...streams.values()].filter(({ length }) => length >= PACKETS).length;
  await waitUntil(`${PACKETS} packets of each stream came over TCP`, () => whole() >= TRACKS * viewers.length, whole);
  for (const received of streams.values()) assertNoGap(received);
  // Where the worker is one of mediasoup's authors it has no batches.
  const metrics = await metricsOf(daemon);
  const isOurs = /^media_daemon_workers_batching 1$/m.test(metrics);
  if (isOurs) assert.match(metrics, /^media_daemon_worker_batched_packets_total\{.*\} [1-9]/m);
  t.diagnostic(`${streams.size} streams over ${connections} connections; ${isOurs ? 'batched' : 'no batches'}`);
});
