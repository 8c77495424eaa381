import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readCapture } from '../support/capture.ts';

const script = join(import.meta.dirname, '../support/capturedLoad.ts');
const MTU = 1500;
const DAEMON = '10.77.0.1';
const SUBSCRIBERS = 2;
const UDP_HEADER = 8;
const DEADLINE_MS = 120_000;
/** A fixed RTP header and SRTP's tag of authentication (RFC 3711). */
const LEAST_BYTES = 12 + 10;
/** RTCP shares the port; these are the packet types where RTP has marker and payload type (RFC 5761). */
const isRtcp = (payload: Buffer) => payload.readUInt8(1) >= 192 && payload.readUInt8(1) <= 223;

/** Two hosts. Each end of a veth takes segments uncut, as no network would, unless it is told not to. */
const HOSTS = [
  'mount -t tmpfs tmpfs /run',
  'ip netns add viewer',
  'ip link add daemon type veth peer name eth0 netns viewer',
  `ip link set daemon mtu ${MTU} gso_max_segs 1 up`,
  `ip -n viewer link set eth0 mtu ${MTU} up`,
  `ip address add ${DAEMON}/24 dev daemon`,
  'ip -n viewer address add 10.77.0.2/24 dev eth0',
  'ip link set lo up',
  'ip -n viewer link set lo up',
].join(' && ');
const namespaces = (command: string, ...args: string[]) =>
  spawnSync('unshare', ['--net', '--mount', 'sh', '-c', command, ...args], { encoding: 'utf8', timeout: DEADLINE_MS });

/** Has viewers get what a daemon sends them from its host. Undefined, and the test is skipped, where that is not possible. */
async function run(t: TestContext, hosts: string) {
  const possible = namespaces(hosts);
  if (possible.status !== 0) {
    t.skip(`no network namespaces, which need root: ${possible.stderr}`);
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'capture-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const command = `${hosts} && exec "$0" "$@"`;
  const { status, stdout, stderr, error } = namespaces(command, process.execPath, script, 'viewer', DAEMON, folder);
  assert.equal(status, 0, `${error ?? ''} ${stderr}`);
  const { summary, metrics, log } = JSON.parse(stdout);
  const metric = (name: string) => Number(new RegExp(`^media_daemon_${name}(?:{.*})? (\\d+)$`, 'm').exec(metrics)?.[1]);
  if (metric('workers_batching') === 0) {
    t.skip('this mediasoup-worker is not of tools/worker-build');
    return undefined;
  }
  assert.deepEqual([summary.lost, summary.outOfOrder, summary.duplicates, summary.silent], [0, 0, 0, 0]);
  const captured = [...readCapture(await readFile(join(folder, 'capture.pcap')))];
  return { received: summary.received, metric, captured, log: log as string[] };
}

test('viewers get ordinary datagrams from a worker that sends several of them in one message', async (t) => {
  const seen = await run(t, HOSTS);
  if (!seen) return;
  const { received, metric, captured } = seen;
  const [packets, messages] = [metric('worker_batched_packets_total'), metric('worker_batched_messages_total')];
  assert.ok(packets > messages, `${packets} packets in ${messages} messages`);

  const sequences = new Map<string, number[]>();
  for (const { length, isFragment, port, udpLength, payload } of captured) {
    assert.ok(!isFragment && length <= MTU, `an IP packet of ${length} bytes${isFragment ? ', a fragment' : ''}`);
    assert.equal(udpLength, UDP_HEADER + payload.length);
    // STUN and DTLS share the port too (RFC 7983).
    if (payload.readUInt8(0) >> 6 !== 2 || isRtcp(payload)) continue;
    assert.ok(payload.length >= LEAST_BYTES, `a packet of ${payload.length} bytes`);
    const stream = `port ${port}, SSRC ${payload.readUInt32BE(8)}`;
    const before = sequences.get(stream) ?? [];
    sequences.set(stream, [...before, payload.readUInt16BE(2)]);
  }
  assert.equal(sequences.size, SUBSCRIBERS);
  for (const [stream, [first = 0, ...rest]] of sequences)
    for (const [index, sequence] of rest.entries())
      assert.equal(sequence, (first + index + 1) & 0xffff, `${stream}, packet ${index + 1}`);
  const count = [...sequences.values()].reduce((sum, { length }) => sum + length, 0);
  assert.ok(count >= received, `${count} captured, ${received} received`);
  t.diagnostic(`${packets} packets in ${messages} messages, ${count} of RTP captured`);
});

test('viewers get everything over a path that refuses segments, and the daemon logs it once', async (t) => {
  // Packets are longer than that: the kernel makes fragments of a datagram, and refuses a segment.
  const seen = await run(t, `${HOSTS} && ip route replace 10.77.0.0/24 dev daemon mtu 1000`);
  if (!seen) return;
  assert.ok(seen.captured.some(({ isFragment }) => isFragment));
  const lines = seen.log.filter((line) => line.includes('UDP segmentation is refused'));
  assert.equal(lines.length, 1, lines.join('\n'));
});
