import assert from 'node:assert/strict';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { requests } from '@mediasoup-server/proto/signaling';
import fc from 'fast-check';
import { hostileMessages } from './hostileMessages.ts';
import { hostileValues, placesIn, withValue } from './leaves.ts';
import { validRequests } from './validRequests.ts';

/** The ids of the peers. */
export const PEERS = ['alice', 'bob', 'carol'] as const;
const methods = Object.keys(requests).filter((name) => name !== 'leaveRoom');
/** Methods on which others depend are called more often. */
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
/** How many of the last ids are used: older ones belong to closed objects. */
const RECENT = 6;

/** A step of a peer. `pick` chooses ids that the server gave out, and parameters. */
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
  { weight: 1, arbitrary: fc.record({ at: fc.nat(), value: fc.constantFrom<unknown>(...hostileValues) }) },
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

/** The ids that the server gave out, by the name of their field. */
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
  /** Messages sent. */
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

  /**
   * Waits until every request is answered.
   *
   * @param comesBack whether a peer that lost its socket connects again first.
   */
  async settle(comesBack: boolean): Promise<void> {
    if (comesBack) await this.#connected();
    if (!this.#client) return;
    if (this.#client.socket.readyState === 1) this.#ask(this.#client, 'ping', {});
    await this.#answered(this.#client);
  }

  /** Leaves if it has a socket. */
  async leave(): Promise<void> {
    this.#client?.close();
    await this.#client?.closed;
  }

  /** Waits until every request is answered, and checks that none was answered twice. */
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
      // Otherwise createWebRtcTransport creates them.
      ...(this.sent % 4 > 0 && { transports: ['send', 'recv'] }),
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
    });
    await this.#answered(client);
  }

  /** Mostly with its own ids, but it consumes from anybody. */
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
        // Only a closed socket may leave a request unanswered.
        if (!/the socket closed/.test(error.message)) throw error;
      },
    );
    // The failure is thrown where the answers are awaited.
    answered.catch(() => {});
    this.#asked.push(answered);
  }
}

/** Adds every id in data that the server sent. */
function learn(data: unknown, ids: Ids): void {
  if (typeof data !== 'object' || data === null) return;
  for (const [name, value] of Object.entries(data)) {
    if (typeof value !== 'string' || !name.endsWith('Id')) learn(value, ids);
    else ids.set(name, [...(ids.get(name) ?? []), value].slice(-RECENT));
  }
}

/** Data that matches the schema; with a twist, one value of it is replaced or missing. */
function dataFor({ method, pick, twist }: Asking, ids: Ids, rtpCapabilities: object): unknown {
  const id = (name: string) => {
    const known = ids.get(name) ?? [];
    return known[(pick >> 2) % known.length] ?? 'none';
  };
  const peerId = PEERS[pick % PEERS.length] ?? '';
  const data = validRequests(pick, { peerId, id, rtpCapabilities })[method] ?? {};
  const places = placesIn(data);
  const place = twist && places[twist.at % places.length];
  return place ? withValue(data, place, twist.value) : data;
}
