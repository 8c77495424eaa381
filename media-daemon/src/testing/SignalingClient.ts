import { WebSocket } from 'ws';

/** Longer than any answer takes on a busy machine, ms. */
const DEADLINE_MS = 120_000;

type Message = { readonly [name: string]: unknown } & { readonly method?: string; readonly id?: number };

/** An answer to a request: its data, or its error. */
export type Answer = {
  readonly ok?: boolean;
  readonly data: never;
  readonly errorCode?: number;
  readonly errorReason?: string;
};

/** A bare WebSocket that speaks protoo, for tests: nothing between it and the wire. */
export class SignalingClient {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly #received: Message[] = [];
  readonly #waiting = new Set<() => void>();
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('message', (data) => {
      this.#received.push(JSON.parse(data.toString()));
      for (const look of this.#waiting) look();
    });
  }

  /** Opens `url?roomId=..&peerId=..`. */
  static async open(url: string, roomId: string, peerId: string): Promise<SignalingClient> {
    return SignalingClient.openUrl(`${url}/?roomId=${encodeURIComponent(roomId)}&peerId=${encodeURIComponent(peerId)}`);
  }

  static async openUrl(url: string, options: { rejectUnauthorized?: boolean } = {}): Promise<SignalingClient> {
    const socket = new WebSocket(url, 'protoo', options);
    const client = new SignalingClient(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Opens a connection and joins. */
  static async join(url: string, roomId: string, peerId: string): Promise<SignalingClient> {
    const client = await SignalingClient.open(url, roomId, peerId);
    await client.request('joinRoom', { roomId, peerId });
    return client;
  }

  /** The answer to a request, also when it is an error. */
  async ask(method: string, data: unknown = {}): Promise<Answer> {
    const id = this.#nextId++;
    this.socket.send(JSON.stringify({ request: true, id, method, data }));
    const isAnswer = (message: Message) => message.response === true && message.id === id;
    return (await this.#first(`the answer to ${method}`, isAnswer)) as unknown as Answer;
  }

  /**
   * The data of the answer to a request.
   *
   * @throws Error when it is an error.
   */
  // biome-ignore lint/suspicious/noExplicitAny: what is asked for is the test's to know
  async request(method: string, data: unknown = {}): Promise<any> {
    const answer = await this.ask(method, data);
    if (!answer.ok) throw new Error(`${method}: ${answer.errorCode} ${answer.errorReason}`);
    return answer.data;
  }

  /** The data of the first notification of this name that satisfies the condition; each is handed out once. */
  // biome-ignore lint/suspicious/noExplicitAny: what is asked for is the test's to know
  async notified(method: string, condition: (data: any) => boolean = () => true): Promise<any> {
    const { data } = await this.#first(
      `the notification ${method}`,
      (message) => message.notification === true && message.method === method && condition(message.data),
    );
    return data;
  }

  /** The names of the notifications that were received and not handed out. */
  get unread(): string[] {
    return this.#received.filter((message) => message.notification).map((message) => String(message.method));
  }

  /** How many answers came to requests of its own that were answered already: each has one. */
  get strayAnswers(): number {
    const isOwn = (id = 0) => Number.isInteger(id) && id > 0 && id < this.#nextId;
    return this.#received.filter(({ response, id }) => response && isOwn(id)).length;
  }

  close(): void {
    this.socket.close();
  }

  /** @throws Error when the socket closes, or after two minutes. */
  #first(what: string, wanted: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited ${DEADLINE_MS / 1000} s for ${what}; unread: ${this.unread.join(', ')}`));
      }, DEADLINE_MS).unref();
      const look = () => {
        const index = this.#received.findIndex(wanted);
        if (index < 0) return;
        this.#waiting.delete(look);
        clearTimeout(late);
        resolve(this.#received.splice(index, 1)[0] as Message);
      };
      this.#waiting.add(look);
      look();
      void this.closed.then((code) => {
        clearTimeout(late);
        reject(new Error(`the socket closed with ${code}`));
      });
    });
  }
}
