import { WebSocket } from 'ws';
import { opusRtpParameters } from '../../../media-daemon/src/testing/opus.ts';

// biome-ignore lint/suspicious/noExplicitAny: both servers are trusted here
type Data = any;

const DEADLINE_MS = 60_000;
/** How long a client of mediasoup-demo's kind takes to answer, ms. */
const ANSWER_MS = 20;
/** Both servers wait for DTLS of a client that never comes, as long as the client stays. */
const dtlsParameters = {
  role: 'client',
  fingerprints: [{ algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') }],
};

/** A client that joins as an SDK does, without media: it connects two transports, produces audio and consumes the others'. */
export abstract class JoiningClient {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, { resolve(data: Data): void; reject(error: Error): void }>();
  #nextId = 1;
  #consuming = 0;
  #consumed: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      if (message.response) {
        const waiting = this.#answers.get(message.id);
        this.#answers.delete(message.id);
        if (message.ok) waiting?.resolve(message.data);
        else waiting?.reject(new Error(`${message.errorCode} ${message.errorReason}`));
      } else this.received(message.method, message.data, message.id);
    });
  }

  static async open(url: string, roomId: string, peerId: string): Promise<WebSocket> {
    const socket = new WebSocket(`${url}/?roomId=${roomId}&peerId=${peerId}`, 'protoo', { rejectUnauthorized: false });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return socket;
  }

  abstract join(roomId: string, peerId: string): Promise<void>;

  /** Waits until as many of the others are consumed. */
  async consumed(count: number): Promise<void> {
    const deadline = setTimeout(() => {
      throw new Error(`waited for ${count} consumers; there are ${this.#consuming}`);
    }, DEADLINE_MS);
    while (this.#consuming < count) {
      await new Promise<void>((resolve) => {
        this.#consumed = resolve;
      });
    }
    clearTimeout(deadline);
  }

  leave(): void {
    this.#socket.close();
  }

  /** @param id of a request that waits for an answer; undefined for a notification */
  protected received(_method: string, _data: Data, _id?: number): void {}

  protected consumes(): void {
    this.#consuming++;
    this.#consumed();
  }

  protected answer(id: number): void {
    this.#socket.send(JSON.stringify({ response: true, id, ok: true, data: {} }));
  }

  protected request(method: string, data: object): Promise<Data> {
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ request: true, id, method, data }));
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }
}

/** Joins a media daemon, whose clients consume what they choose. */
export class DaemonClient extends JoiningClient {
  /** A producer may be announced before the answer to joinRoom is handled. */
  readonly #rtpCapabilities = Promise.withResolvers<object>();

  async join(roomId: string, peerId: string): Promise<void> {
    const { rtpCapabilities, transports } = await this.request('joinRoom', {
      roomId,
      peerId,
      transports: ['send', 'recv'],
    });
    this.#rtpCapabilities.resolve(rtpCapabilities);
    for (const { transportId } of [transports.send, transports.recv])
      await this.request('connectWebRtcTransport', { transportId, dtlsParameters });
    const { transportId } = transports.send;
    await this.request('produce', { transportId, kind: 'audio', rtpParameters: opusRtpParameters() });
  }

  protected override received(method: string, { producerId }: Data): void {
    if (method === 'newProducer') void this.#consume(producerId);
  }

  async #consume(producerId: string): Promise<void> {
    const rtpCapabilities = await this.#rtpCapabilities.promise;
    const { consumerId } = await this.request('consume', { producerId, rtpCapabilities, paused: true });
    await this.request('resume', { consumerId });
    this.consumes();
  }
}

/** Joins a server of mediasoup-demo's kind, which makes the consumers of its clients. */
export class DemoClient extends JoiningClient {
  readonly #unanswered = new Map<string, NodeJS.Timeout>();

  async join(): Promise<void> {
    const rtpCapabilities = await this.request('getRouterRtpCapabilities', {});
    const transports = [];
    for (const producing of [true, false])
      transports.push(
        await this.request('createWebRtcTransport', { producing, consuming: !producing, forceTcp: false }),
      );
    await this.request('join', { displayName: 'peer', device: {}, rtpCapabilities });
    for (const { id: transportId } of transports)
      await this.request('connectWebRtcTransport', { transportId, dtlsParameters });
    const transportId = transports[0].id;
    await this.request('produce', { transportId, kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} });
  }

  /**
   * The server asks for an answer to each new consumer, and sends its score once it has resumed it. protoo-server loses an
   * answer that arrives before its own send has been handled, so a slow one is sent, and again until the score is there.
   */
  protected override received(method: string, data: Data, id?: number): void {
    if (method === 'newConsumer' && id !== undefined)
      this.#unanswered.set(
        data.id,
        setInterval(() => this.answer(id), ANSWER_MS),
      );
    if (method !== 'consumerScore' || !this.#unanswered.has(data.consumerId)) return;
    clearInterval(this.#unanswered.get(data.consumerId));
    this.#unanswered.delete(data.consumerId);
    this.consumes();
  }
}
