import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { unlimitedRates } from '@mediasoup-server/media-daemon/testing/unlimitedRates';
import { requests } from '@mediasoup-server/proto/signaling';
import fc from 'fast-check';
import { observer, type types } from 'mediasoup';
import { FuzzPeer, PEERS, steps } from '../support/FuzzPeer.ts';
import { assertNoGap, callOf } from '../support/rtp.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** Sequences of messages. `make soak` tries many more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 150);
/** The longest of them. */
const MOST_MESSAGES = Number(process.env.FUZZ_LENGTH ?? 100);
/** With this many messages every method has succeeded once; with fewer it may not. */
const MESSAGES_FOR_ALL = 100_000;
/** Looks, 20 ms apart, for everything to have ended. */
const MOST_LOOKS = 100;

const sequences = fc.array(fc.tuple(fc.nat(PEERS.length - 1), steps), {
  minLength: 10,
  maxLength: MOST_MESSAGES,
  size: 'max',
});

const meetings = [
  {
    meeting: 'the room ends with its last peer, and a lost socket soon ends its peer',
    resumeGraceMs: 20,
    watched: false,
  },
  {
    meeting: 'the room continues, and a peer that lost its socket resumes before it leaves',
    resumeGraceMs: 3_600_000,
    watched: true,
  },
];

for (const { meeting, resumeGraceMs, watched } of meetings) {
  test(`S12 each request of fuzzing peers is answered once, and nothing is left of them: ${meeting}`, async (t) => {
    const workers: types.Worker[] = [];
    const remember = (worker: types.Worker) => workers.push(worker);
    observer.on('newworker', remember);
    const { url, metricsPort } = await testDaemon(t, {
      MEDIA_DAEMON_RESUME_GRACE_MS: String(resumeGraceMs),
      ...unlimitedRates,
    });
    observer.off('newworker', remember);
    // A call in another room, which must not be disturbed.
    const { receiver, rtpCapabilities } = await callOf(t, url, 'other');
    if (watched) await SignalingClient.join(url, 'room', 'watcher');
    const metrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const inUse = async () =>
      (await metrics())
        .split('\n')
        .filter((line) => /^media_daemon_(sockets|rooms|peers|producers|consumers) /.test(line));
    let messages = 0;
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        // Read before each meeting, so that shrinking blames the meeting that leaves something.
        const before = { inUse: await inUse(), handlers: await handlers(workers), timers: timers() };
        const ids = new Map<string, string[]>();
        const peers = PEERS.map((id) => new FuzzPeer(url, id, ids));
        try {
          for (const [who, step] of sequence) await peers[who]?.do(step, rtpCapabilities);
          await Promise.all(peers.map((peer) => peer.settle(watched)));
        } finally {
          await Promise.all(peers.map((peer) => peer.leave()));
        }
        messages += peers.reduce((sum, { sent }) => sum + sent, 0);
        await settled(async () => assert.deepEqual(await inUse(), before.inUse));
        // What was being created when its peer left is closed a moment later.
        await settled(async () => assert.deepEqual(await handlers(workers), before.handlers));
        await settled(async () => assert.ok(timers() <= before.timers, `${timers()} timers, not ${before.timers}`));
        const received = receiver.received.length;
        await waitUntil('another packet arrives', () => receiver.received.length > received);
      }),
      { numRuns: RUNS },
    );
    assertNoGap(receiver.received);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);

    const outcomes = outcomesIn(await metrics());
    t.diagnostic(`${messages} messages in ${RUNS} meetings`);
    t.diagnostic('| method | done | refused |');
    t.diagnostic('|---|---|---|');
    for (const [method, { done, refused }] of outcomes) t.diagnostic(`| ${method} | ${done} | ${refused} |`);
    if (messages < MESSAGES_FOR_ALL) return;
    for (const method of Object.keys(requests).filter((name) => name !== 'leaveRoom'))
      assert.ok(outcomes.get(method)?.done, `${method} was never done: these messages try too little`);
  });
}

/** Repeats an assertion for two seconds at least: a property that hangs names no counterexample. */
async function settled(isSo: () => Promise<void>): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    if (
      await isSo().then(
        () => true,
        () => false,
      )
    )
      return;
    await delay(20);
  }
  await isSo();
}

/** The ids of everything that the workers hold: routers, transports, producers, consumers, observers. */
async function handlers(workers: readonly types.Worker[]): Promise<string[]> {
  const dumps = await Promise.all(workers.map((worker) => worker.dump()));
  return dumps.flatMap(({ channelMessageHandlers }) => channelMessageHandlers.channelRequestHandlers).sort();
}

/** Active timers of this process and the daemon in it: one for each socket and each waiting session. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** How often each method succeeded and was refused, as the daemon counts. */
function outcomesIn(metrics: string): Map<string, { done: number; refused: number }> {
  const outcomes = new Map<string, { done: number; refused: number }>();
  for (const [, method = '', code, count] of metrics.matchAll(/requests_total\{method="(\w+)",code="(\d+)"\} (\d+)/g)) {
    assert.notEqual(code, '500', `${method} failed ${count} times by our own fault`);
    const outcome = outcomes.get(method) ?? { done: 0, refused: 0 };
    outcome[code === '200' ? 'done' : 'refused'] += Number(count);
    outcomes.set(method, outcome);
  }
  return outcomes;
}
