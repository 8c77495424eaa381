import assert from 'node:assert/strict';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { requests } from '@mediasoup-server/proto/signaling';
import fc from 'fast-check';
import { hostileMessages } from './hostileMessages.ts';

/** Whose ids the peers have. */
export const PEERS = ['alice', 'bob', 'carol'] as const;
const methods = Object.keys(requests).filter((name) => name !== 'leaveRoom');
/** What much else depends on is asked more often. */
const frequent = [
  'produce',
  'produceData',
  'consume',
  'consume',
  'consume',
  'consumeData',
  'consumeData',
  'setPreferredLayers',
];
/** Ids that were given out last are used first: the older ones are of what is closed. */
const RECENT = 6;

/** What replaces a value somewhere in data that would be taken otherwise. */
const hostileValues = [
  ...[-1, 0.5, 2 ** 32, 2 ** 53, 1e308, null, true, '', '__proto__', '\u0000', 'x'.repeat(5000), [], {}, [null]],
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}') as unknown,
];

/** What a peer does. `pick` chooses ids among those that the server gave out, and parameters. */
export type Step =
  | { readonly does: 'ask' | 'emit'; readonly method: string; readonly pick: number; readonly twist: Twist }
  | { readonly does: 'garbage'; readonly data: unknown; readonly method: string }
  | { readonly does: 'send'; readonly frame: string | Uint8Array }
  | { readonly does: 'wait' | 'drop' | 'close' | 'rejoin' };
type Asking = Extract<Step, { does: 'ask' | 'emit' }>;
type Twist = { readonly at: number; readonly value: unknown } | undefined;

const method = fc.constantFrom(...methods, ...frequent);
const twist: fc.Arbitrary<Twist> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(), value: fc.constantFrom<unknown>(...hostileValues, undefined) }) },
);
const valid = { method, pick: fc.nat(), twist };
export const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 48, arbitrary: fc.record({ does: fc.constant('ask' as const), ...valid }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('emit' as const), ...valid }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('garbage' as const), method, data: fc.jsonValue() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('send' as const),
      frame: fc.oneof(fc.string(), fc.uint8Array(), fc.constantFrom(...hostileMessages)),
    }),
  },
  { weight: 24, arbitrary: fc.record({ does: fc.constant('wait' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constantFrom('drop' as const, 'close' as const, 'rejoin' as const) }),
  },
);

/** The ids that the server gave out, by the field that they stood in. */
export type Ids = Map<string, string[]>;

/** A peer that may lose its socket at any step and come back. */
export class FuzzPeer {
  readonly #url: string;
  readonly #id: string;
  readonly #anybodys: Ids;
  readonly #own: Ids = new Map();
  #client: SignalingClient | undefined;
  #sessionId: string | undefined;
  #asked: Promise<void>[] = [];
  /** How many messages it sent. */
  sent = 0;

  /** @param anybodys the ids that the server gave out to any of the peers. */
  constructor(url: string, id: string, anybodys: Ids) {
    this.#url = url;
    this.#id = id;
    this.#anybodys = anybodys;
  }

  async do(step: Step, rtpCapabilities: object): Promise<void> {
    const client = await this.#connected();
    switch (step.does) {
      case 'ask':
        return this.#ask(client, step.method, this.#dataFor(step, rtpCapabilities));
      case 'emit': {
        const data = this.#dataFor(step, rtpCapabilities);
        this.sent++;
        client.socket.send(JSON.stringify({ notification: true, method: step.method, data }));
        return;
      }
      case 'garbage':
        return this.#ask(client, step.method, step.data);
      case 'send':
        this.sent++;
        client.socket.send(step.frame);
        return;
      case 'wait':
        return this.#answered(client);
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

  /** Resolves when every request was answered. A peer whose socket is lost comes back first, where it is to. */
  async settle(comesBack: boolean): Promise<void> {
    if (comesBack) await this.#connected();
    if (!this.#client) return;
    if (this.#client.socket.readyState === 1) this.#ask(this.#client, 'ping', {});
    await this.#answered(this.#client);
  }

  /** Leaves, where it has a socket. */
  async leave(): Promise<void> {
    this.#client?.close();
    await this.#client?.closed;
  }

  /** Resolves when every request was answered as many times as it was asked: once. */
  async #answered(client: SignalingClient): Promise<void> {
    await Promise.all(this.#asked.splice(0));
    assert.equal(client.strayAnswers, 0);
  }

  async #connected(): Promise<SignalingClient> {
    if (this.#client?.socket.readyState === 1) return this.#client;
    this.#client = await SignalingClient.open(this.#url, 'room', this.#id);
    await this.#join(this.#client);
    return this.#client;
  }

  async #join(client: SignalingClient): Promise<void> {
    this.#ask(client, 'joinRoom', {
      roomId: 'room',
      peerId: this.#id,
      // Now and then it is left to createWebRtcTransport.
      ...(this.sent % 4 > 0 && { transports: ['send', 'recv'] }),
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
    });
    await this.#answered(client);
  }

  /** Data of its own things mostly, but what it consumes is anybody's. */
  #dataFor(step: Asking, rtpCapabilities: object): unknown {
    const anybodys = step.method.startsWith('consume') || step.pick % 4 === 0;
    return dataFor(step, anybodys ? this.#anybodys : this.#own, rtpCapabilities);
  }

  #ask(client: SignalingClient, name: string, data: unknown): void {
    this.sent++;
    const answered = client.ask(name, data).then(
      (answer) => {
        assert.notEqual(answer.errorCode, 500, `${name} ${JSON.stringify(data)}: our own failure`);
        if (name === 'joinRoom' && answer.ok) this.#sessionId = (answer.data as { sessionId: string }).sessionId;
        learn(answer.data, this.#own);
        learn(answer.data, this.#anybodys);
      },
      (error: Error) => {
        // Only a socket that is gone may leave a request unanswered.
        if (!/the socket closed/.test(error.message)) throw error;
      },
    );
    // A failure is that of whoever awaits it later.
    answered.catch(() => {});
    this.#asked.push(answered);
  }
}

/** Keeps every id that the server gives out. */
function learn(data: unknown, ids: Ids): void {
  if (typeof data !== 'object' || data === null) return;
  for (const [name, value] of Object.entries(data)) {
    if (typeof value !== 'string' || !name.endsWith('Id')) learn(value, ids);
    else ids.set(name, [...(ids.get(name) ?? []), value].slice(-RECENT));
  }
}

const fingerprints = [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }];

/** Data that the schema takes, with ids of anybody's; with a twist, one value of it is another or is missing. */
function dataFor({ method, pick, twist }: Asking, ids: Ids, rtpCapabilities: object): unknown {
  const id = (name: string) => {
    const known = ids.get(name) ?? [];
    return known[(pick >> 2) % known.length] ?? 'none';
  };
  const consumerId = id('consumerId');
  const ofProducer = { producerId: id('producerId') };
  const ofTransport = { transportId: id('transportId') };
  const data: Record<string, object> = {
    joinRoom: { roomId: 'room', peerId: PEERS[pick % PEERS.length], sessionId: id('sessionId'), appData: { pick } },
    updateAppData: { appData: { pick } },
    createWebRtcTransport: { direction: pick % 2 ? 'send' : 'recv', forceTcp: pick % 3 === 0 },
    connectWebRtcTransport: { ...ofTransport, dtlsParameters: { role: 'client', fingerprints } },
    restartIce: ofTransport,
    produce: { ...(pick % 2 ? audio(pick) : simulcast(pick)), appData: { pick }, paused: pick % 3 === 0 },
    pauseProducer: ofProducer,
    resumeProducer: ofProducer,
    closeProducer: ofProducer,
    consume: { ...ofProducer, rtpCapabilities, paused: pick % 2 === 0 },
    setPreferredLayers: { consumerId, spatialLayer: pick % 3, temporalLayer: pick % 4 },
    setPriority: { consumerId, priority: (pick % 255) + 1 },
    produceData: { sctpStreamParameters: { streamId: pick % 1000, ordered: true }, label: 'chat' },
    closeDataProducer: { dataProducerId: id('dataProducerId') },
    consumeData: { dataProducerId: id('dataProducerId') },
    closeDataConsumer: { dataConsumerId: id('dataConsumerId') },
    getStats: [
      ofTransport,
      ofProducer,
      { consumerId },
      { dataProducerId: id('dataProducerId') },
      { dataConsumerId: id('dataConsumerId') },
    ][pick % 5] as object,
    ping: {},
  };
  const taken = structuredClone(data[method] ?? { consumerId });
  if (twist) spoil(taken, twist);
  return taken;
}

/** Puts the twist in the place of one of the values that are somewhere in the data. */
function spoil(data: object, { at, value }: NonNullable<Twist>): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (within: object) => {
    for (const [name, member] of Object.entries(within)) {
      places.push([within as Record<string, unknown>, name]);
      if (typeof member === 'object' && member !== null) walk(member);
    }
  };
  walk(data);
  const [within, name] = places[at % places.length] ?? [];
  if (within && name !== undefined) within[name] = value;
}

const audio = (pick: number) => ({ kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: `a${pick % 1000}` } });

const simulcast = (pick: number) => {
  const { encodings, rtcp } = opusRtpParameters();
  const ssrc = encodings[0]?.ssrc ?? 0;
  return {
    kind: 'video',
    rtpParameters: {
      mid: `v${pick % 1000}`,
      codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, rtcpFeedback: [{ type: 'nack' }] }],
      encodings: [{ ssrc: ssrc + 1_000_000_000 }, { ssrc: ssrc + 2_000_000_000 }],
      rtcp,
    },
  };
};
