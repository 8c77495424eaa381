import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { runDaemon } from '../support/stack.ts';
import { waitForValue } from '../support/waitUntil.ts';

/** How many times two peers meet. `make soak` sets many more. */
const CYCLES = Number(process.env.CYCLES ?? 200);
/** Meetings at a time. */
const AT_A_TIME = 10;
/** One in this many meetings ends with a peer that never comes back. */
const LOST_ONE_IN = 10;
/** Looks, 20 ms apart, for everything to have ended. They take longer than the grace time. */
const MOST_LOOKS = 500;

/** Counts by name, in the order of the printed table. */
type Use = Readonly<Record<string, number>>;

/** The resources of a process as the kernel counts them. */
async function useOf(name: string, pid: number): Promise<Use> {
  const folder = `/proc/${pid}/fd`;
  const open = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    [`${name}: file descriptors`]: open.filter((target) => target !== '').length,
    [`${name}: sockets`]: open.filter((target) => target.startsWith('socket:')).length,
    [`${name}: resident memory, bytes`]: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024,
  };
}

/** A daemon without a control plane, and what it and its worker hold. */
async function watchedDaemon(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'mediasoup-server-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const report = join(folder, 'memory.json');
  const { ready, process: daemon } = await runDaemon(t, {
    MEDIA_DAEMON_WORKERS: '1',
    MEDIA_DAEMON_RESUME_GRACE_MS: '2000',
    MEDIA_DAEMON_IP_SOCKETS_PER_SECOND: '1000000',
    MEDIA_DAEMON_IP_SOCKET_BURST: '1000000',
    MEMORY_REPORT: report,
    NODE_OPTIONS: `--expose-gc --import ${fileURLToPath(new URL('../support/reportMemory.ts', import.meta.url))}`,
  });
  const client = new Client(`127.0.0.1:${ready.grpcPort}`, credentials.createInsecure());
  const { workers } = await serviceCalls(MediaDaemon, client).getInfo({});
  client.close();
  const metrics = async () => (await fetch(`http://127.0.0.1:${ready.metricsPort}/metrics`)).text();
  const value = async (name: string) => Number((await metrics()).split(`\nmedia_daemon_${name} `)[1]?.split('\n')[0]);
  const use = async (): Promise<Use> => {
    await rm(report, { force: true });
    daemon.kill('SIGUSR2');
    const memory = await waitForValue<{ heapUsed: number; handles: number }>('the daemon reports its memory', () =>
      // It may be written just now.
      readFile(report, 'utf8')
        .then(JSON.parse)
        .catch(() => undefined),
    );
    return {
      rooms: await value('rooms'),
      peers: await value('peers'),
      sessions:
        (await value('session_events_total{event="opened"}')) - (await value('session_events_total{event="ended"}')),
      sockets: await value('sockets'),
      'daemon: active handles': memory.handles,
      ...(await useOf('daemon', Number(daemon.pid))),
      'daemon: heap after a collection, bytes': memory.heapUsed,
      ...(await useOf('worker', workers[0]?.pid ?? 0)),
    };
  };
  return { url: String(ready.url), use };
}

/** Two peers join, send and receive, lose their sockets, resume and leave, or one of them never comes back. */
async function meet(url: string, index: number): Promise<void> {
  const roomId = `room-${index}`;
  const enter = async (peerId: string, sessionId?: string) => {
    const client = await SignalingClient.open(url, roomId, peerId);
    const joining = { roomId, peerId, transports: ['send', 'recv'], ...(sessionId && { sessionId }) };
    return { client, joined: await client.request('joinRoom', joining) };
  };
  const alice = await enter('alice');
  const bob = await enter('bob');
  const { producerId } = await alice.client.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const { rtpCapabilities } = bob.joined;
  const { consumerId } = await bob.client.request('consume', { producerId, rtpCapabilities });
  const { dataProducerId } = await alice.client.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  await bob.client.request('consumeData', { dataProducerId });
  for (const { client } of [alice, bob]) {
    client.socket.terminate();
    await client.closed;
  }
  const again = [await enter('alice', alice.joined.sessionId), await enter('bob', bob.joined.sessionId)] as const;
  for (const { joined } of again) assert.equal(joined.resumed, true);
  await again[1].client.request('resume', { consumerId });
  await again[0].client.request('closeProducer', { producerId });
  await again[0].client.request('leaveRoom');
  if (index % LOST_ONE_IN === 0) again[1].client.socket.terminate();
  else again[1].client.close();
  await Promise.all(again.map(({ client }) => client.closed));
}

/** The counts that have risen. Memory is only printed: an allocator may keep it. */
const risen = (now: Use, before: Use): string[] =>
  Object.entries(now)
    .filter(([name, count]) => !name.endsWith('bytes') && count > (before[name] ?? 0))
    .map(([name, count]) => `${name}: ${before[name]} -> ${count}`);

test('many meetings leave nothing behind in the daemon and its worker', async (t) => {
  const { url, use } = await watchedDaemon(t);
  let met = 0;
  const meetings = async (count: number) => {
    for (const until = met + count; met < until; met += AT_A_TIME) {
      await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => meet(url, met + index)));
      if (met % 1000 === 0 && met > 0) t.diagnostic(`${met} meetings`);
    }
  };
  /** What is held once everything has ended, or after the last look. */
  const useOnce = async (isEnded: (now: Use) => boolean): Promise<Use> => {
    let now = await use();
    for (let look = 0; look < MOST_LOOKS && !isEnded(now); look++) {
      await delay(20);
      now = await use();
    }
    return now;
  };
  // The first ones fill caches and pools.
  await meetings(100);
  const start = await useOnce(({ sockets, sessions, rooms }) => sockets === 0 && sessions === 0 && rooms === 0);
  const isAsBefore = (now: Use) => risen(now, start).length === 0;
  await meetings(CYCLES / 2);
  const half = await useOnce(isAsBefore);
  await meetings(CYCLES / 2);
  const end = await useOnce(isAsBefore);
  t.diagnostic(`| | before | after ${CYCLES / 2} meetings | after ${CYCLES} | a meeting, in the second half |`);
  t.diagnostic('|---|---|---|---|---|');
  for (const [name, before] of Object.entries(start)) {
    const [middle = 0, after = 0] = [half[name], end[name]];
    const each = ((after - middle) / (CYCLES / 2)).toFixed(1);
    t.diagnostic(`| ${name} | ${before} | ${middle} | ${after} | ${each} |`);
  }
  assert.deepEqual(risen(end, start), []);
});
