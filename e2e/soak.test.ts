import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { unaryCalls } from '@mediasoup-server/proto/grpc';
import { nextTick, Stack } from './testing/stack.ts';

/** How many times two peers meet; `make soak` has many more. */
const CYCLES = Number(process.env.CYCLES ?? 100);
/** Meetings that go on at a time. */
const AT_A_TIME = 10;

type Use = { process: string; fds: number; sockets: number; rssMb: number };

/** What a process holds, as the kernel sees it. */
async function useOf(name: string, pid: number): Promise<Use> {
  const links = await readdir(`/proc/${pid}/fd`);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const udp = await readFile(`/proc/${pid}/net/udp`, 'utf8');
  return {
    process: name,
    fds: links.length,
    sockets: udp.trim().split('\n').length,
    rssMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
  };
}

/** Two peers join, send and receive, lose their sockets, resume and leave. */
async function meet(url: string, roomId: string): Promise<void> {
  const join = async (peerId: string, sessionId?: string) => {
    const client = await SignalingClient.open(url, roomId, peerId);
    const joining = { roomId, peerId, transports: ['send', 'recv'], ...(sessionId && { sessionId }) };
    return { client, joined: await client.request('joinRoom', joining) };
  };
  const alice = await join('alice');
  const bob = await join('bob');
  const { producerId } = await alice.client.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const { rtpCapabilities } = bob.joined;
  const { consumerId } = await bob.client.request('consume', { producerId, rtpCapabilities });
  const { dataProducerId } = await alice.client.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  await bob.client.request('consumeData', { dataProducerId });
  for (const { client } of [alice, bob]) {
    client.socket.terminate();
    await client.closed;
  }
  const again = [await join('alice', alice.joined.sessionId), await join('bob', bob.joined.sessionId)] as const;
  for (const { joined } of again) assert.equal(joined.resumed, true);
  await again[1].client.request('resume', { consumerId });
  await again[0].client.request('closeProducer', { producerId });
  await again[0].client.request('leaveRoom');
  again[1].client.close();
  await Promise.all(again.map(({ client }) => client.closed));
}

test('after many meetings the daemon and its workers hold what they held before', async (t) => {
  const stack = await Stack.start(t);
  const {
    url,
    ready,
    process: daemon,
  } = await stack.startDaemon('daemon-a', {
    MEDIA_DAEMON_IP_SOCKETS_PER_SECOND: '1000000',
    MEDIA_DAEMON_IP_SOCKET_BURST: '1000000',
  });
  const client = new Client(`127.0.0.1:${ready.grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const { workers } = await unaryCalls(MediaDaemon, client).getInfo({});
  const use = async () => [
    await useOf('daemon', Number(daemon.pid)),
    ...(await Promise.all(workers.map(({ pid }, index) => useOf(`worker ${index}`, pid)))),
  ];
  const metrics = async () => (await fetch(`http://127.0.0.1:${ready.metricsPort}/metrics`)).text();
  const empty = async () => {
    while (!/media_daemon_sockets 0/.test(await metrics()) || !/media_daemon_rooms 0/.test(await metrics())) {
      await nextTick();
    }
  };
  const meetings = async (count: number, prefix: string) => {
    for (let done = 0; done < count; done += AT_A_TIME) {
      await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => meet(url, `${prefix}-${done + index}`)));
      if (done % 1000 === 0 && done > 0) t.diagnostic(`${done} of ${count}`);
    }
    await empty();
  };
  // The first ones fill caches and pools.
  await meetings(20, 'warm');
  const before = await use();
  await meetings(CYCLES, 'room');
  const after = await use();
  t.diagnostic(`after ${CYCLES} meetings:`);
  t.diagnostic('| process | handles | UDP sockets | RSS MB |');
  t.diagnostic('|---|---|---|---|');
  for (const [index, now] of after.entries()) {
    const was = before[index];
    t.diagnostic(
      `| ${now.process} | ${was?.fds} -> ${now.fds} | ${was?.sockets} -> ${now.sockets} | ${was?.rssMb} -> ${now.rssMb} |`,
    );
  }
  assert.match(await metrics(), /media_daemon_sessions_disconnected 0/);
  assert.match(await metrics(), /media_daemon_(producers|consumers|peers) 0/);
  // A heartbeat or a gRPC connection may be open at the one look and not at the other.
  for (const [index, { fds }] of after.entries()) assert.ok(fds <= (before[index]?.fds ?? 0) + 3, `${fds} handles`);
});
