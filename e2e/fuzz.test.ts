import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { requests } from '@mediasoup-server/proto/signaling';
import fc from 'fast-check';
import { observer, type types } from 'mediasoup';
import { assertNoGap, callOf } from './testing/rtp.ts';
import { nextTick } from './testing/stack.ts';

/** How many sequences of messages are tried; `make soak` tries many more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 30);
/** The longest of them. */
const MOST_MESSAGES = Number(process.env.FUZZ_LENGTH ?? 60);

const PEERS = ['alice', 'bob', 'carol'];
const methods = Object.keys(requests);
const fingerprints = [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }];

/** What a peer does. `pick` chooses among the ids that the server has given out to anybody so far. */
type Step =
  | { readonly does: 'ask'; readonly method: string; readonly pick: number; readonly twist: number }
  | { readonly does: 'garbage'; readonly data: unknown; readonly method: string }
  | { readonly does: 'text'; readonly text: string }
  | { readonly does: 'drop' | 'close' | 'rejoin' };

const method = fc.constantFrom(...methods.filter((name) => name !== 'leaveRoom'));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ does: fc.constant('ask' as const), method, pick: fc.nat(), twist: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('garbage' as const), method, data: fc.jsonValue() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('text' as const), text: fc.string() }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('drop' as const, 'close' as const, 'rejoin' as const) }) },
);
const meeting = fc.array(fc.tuple(fc.nat(PEERS.length - 1), step), {
  minLength: 10,
  maxLength: MOST_MESSAGES,
  size: 'max',
});

/** A peer that may lose its socket at any step and come back. */
class FuzzPeer {
  readonly #url: string;
  readonly #id: string;
  readonly #ids: string[];
  #client: SignalingClient | undefined;
  #sessionId: string | undefined;
  #asked: Promise<void>[] = [];

  constructor(url: string, id: string, ids: string[]) {
    this.#url = url;
    this.#id = id;
    this.#ids = ids;
  }

  async do(step: Step, rtpCapabilities: unknown): Promise<void> {
    const client = await this.#connected();
    switch (step.does) {
      case 'ask':
        return this.#ask(client, step.method, dataFor(step, this.#ids, rtpCapabilities));
      case 'garbage':
        return this.#ask(client, step.method, step.data);
      case 'text':
        client.socket.send(step.text);
        return;
      case 'drop':
        client.socket.terminate();
        await client.closed;
        return;
      case 'close':
        client.close();
        await client.closed;
        return;
      case 'rejoin':
        return this.#join(client);
    }
  }

  /** Resolves when every request was answered, as many times as it was asked: once. */
  async settle(): Promise<void> {
    await Promise.all(this.#asked.splice(0));
    if (this.#client?.socket.readyState === 1) {
      await this.#client.request('ping');
      assert.equal(this.#client.strayAnswers, 0);
    }
    this.#client?.close();
    await this.#client?.closed;
    this.#client = undefined;
  }

  async #connected(): Promise<SignalingClient> {
    if (this.#client?.socket.readyState === 1) return this.#client;
    this.#client = await SignalingClient.open(this.#url, 'room', this.#id);
    await this.#join(this.#client);
    return this.#client;
  }

  async #join(client: SignalingClient): Promise<void> {
    const answer = await client.ask('joinRoom', {
      roomId: 'room',
      peerId: this.#id,
      transports: ['send', 'recv'],
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
    });
    if (!answer.ok) return;
    this.#sessionId = (answer.data as { sessionId: string }).sessionId;
    this.#learn(answer.data);
  }

  #ask(client: SignalingClient, name: string, data: unknown): void {
    const answered = client.ask(name, data).then(
      (answer) => this.#learn(answer.data),
      (error: Error) => {
        // Only a socket that is gone may leave a request unanswered.
        if (!/the socket closed/.test(error.message)) throw error;
      },
    );
    this.#asked.push(answered);
  }

  /** Keeps every id that the server gives out. */
  #learn(data: unknown): void {
    if (typeof data !== 'object' || data === null) return;
    for (const [name, value] of Object.entries(data)) {
      if (typeof value === 'string' && name.endsWith('Id')) this.#ids.push(value);
      else this.#learn(value);
    }
  }
}

/** Data that the schema takes, with ids of anybody's; now and then with one field taken away. */
function dataFor({ method, pick, twist }: Extract<Step, { does: 'ask' }>, ids: string[], rtpCapabilities: unknown) {
  const id = ids.length > 0 ? ids[pick % ids.length] : 'none';
  const data: Record<string, unknown> = {
    roomId: 'room',
    peerId: PEERS[pick % PEERS.length],
    direction: pick % 2 ? 'send' : 'recv',
    transportId: method === 'produce' || method === 'produceData' ? undefined : id,
    producerId: id,
    consumerId: id,
    dataProducerId: id,
    dataConsumerId: id,
    dtlsParameters: { role: 'client', fingerprints },
    kind: 'audio',
    rtpParameters: { ...opusRtpParameters(), mid: String(pick % 50) },
    rtpCapabilities,
    appData: { pick },
    paused: pick % 2 === 0,
    spatialLayer: pick % 3,
    priority: (pick % 255) + 1,
    sctpStreamParameters: { streamId: pick % 100, ordered: true },
  };
  if (method === 'getStats') return { [['transportId', 'producerId', 'consumerId'][pick % 3] ?? '']: id };
  if (twist === 9) delete data[Object.keys(data)[pick % Object.keys(data).length] ?? ''];
  return data;
}

test('whatever peers send in whatever order, each request is answered once, and nothing is left when they have gone', async (t) => {
  const workers: types.Worker[] = [];
  const remember = (worker: types.Worker) => workers.push(worker);
  observer.on('newworker', remember);
  const { url, httpUrl } = await testDaemon(t, {
    MEDIA_DAEMON_RESUME_GRACE_MS: '20',
    MEDIA_DAEMON_MESSAGES_PER_SECOND: '1000000',
    MEDIA_DAEMON_MESSAGE_BURST: '1000000',
    MEDIA_DAEMON_IP_SOCKETS_PER_SECOND: '1000000',
    MEDIA_DAEMON_IP_SOCKET_BURST: '1000000',
  });
  observer.off('newworker', remember);
  // A pair in another room, which must notice nothing.
  const { receiver, rtpCapabilities } = await callOf(t, url, 'other');
  const before = await handlers(workers);
  let messages = 0;
  await fc.assert(
    fc.asyncProperty(meeting, async (steps) => {
      const ids: string[] = [];
      const peers = PEERS.map((id) => new FuzzPeer(url, id, ids));
      for (const [who, step] of steps) await peers[who]?.do(step, rtpCapabilities);
      await Promise.all(peers.map((peer) => peer.settle()));
      messages += steps.length;
      while ((await fetch(`${httpUrl}/rooms/room`)).status !== 404);
      assert.deepEqual(await handlers(workers), before, 'only what the other room has is left');
      const received = receiver.received.length;
      while (receiver.received.length === received) await nextTick();
    }),
    { numRuns: RUNS },
  );
  t.diagnostic(`${messages} messages in ${RUNS} meetings`);
  assertNoGap(receiver.received);
});

/** The ids of everything that the workers hold: routers, transports, producers, consumers, observers. */
async function handlers(workers: readonly types.Worker[]): Promise<string[]> {
  const dumps = await Promise.all(workers.map((worker) => worker.dump()));
  return dumps.flatMap(({ channelMessageHandlers }) => channelMessageHandlers.channelRequestHandlers).sort();
}
