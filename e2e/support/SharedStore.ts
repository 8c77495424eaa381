import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedDynamo, startEmbeddedDynamo } from '@mediasoup-server/control-plane/embedded-dynamo';
import { HttpRelay } from './HttpRelay.ts';
import type { Ending } from './stack.ts';
import { TcpProxy } from './TcpProxy.ts';

/** The id of the access key that the control planes and the store share. */
const ACCESS_KEY_ID = 'test';

/** Tables that several control planes share, behind relays that can fail. */
export class SharedStore {
  readonly #t: Ending;
  readonly relay: TcpProxy;
  /** One in this many requests passes, and the others are throttled. */
  throttle = 1;
  readonly #front: HttpRelay;
  #store: EmbeddedDynamo | undefined;
  #requests = 0;

  private constructor(t: Ending, relay: TcpProxy, front: HttpRelay) {
    this.#t = t;
    this.relay = relay;
    this.#front = front;
    front.intercept = (_incoming, answer) => {
      const passes = ++this.#requests % this.throttle === 0;
      if (!passes) throttled(answer);
      return !passes;
    };
  }

  static async start(t: Ending): Promise<SharedStore> {
    const relay = await TcpProxy.start(t);
    const store = new SharedStore(t, relay, await HttpRelay.start(t, `http://127.0.0.1:${relay.port}`));
    await store.empty();
    t.after(async () => store.#store?.close());
    return store;
  }

  /** The settings of a control plane that uses these tables. */
  get settings(): Record<string, string> {
    return {
      CONTROL_PLANE_STORE: 'dynamodb',
      CONTROL_PLANE_DYNAMODB_ENDPOINT: this.#front.url,
      AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY: 'test',
    };
  }

  /** Replaces the running store by a new one without tables. */
  async empty(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'tables-'));
    this.#t.after(() => rm(folder, { recursive: true, force: true }));
    const fresh = await startEmbeddedDynamo(folder, ACCESS_KEY_ID);
    this.relay.to = Number(new URL(fresh.endpoint).port);
    this.relay.reset();
    await this.#store?.close();
    this.#store = fresh;
  }
}

/** Answers a request as a throttling DynamoDB does. */
function throttled(answer: ServerResponse): void {
  answer.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
  answer.end(
    JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
      message: 'The level of configured provisioned throughput for the table was exceeded.',
    }),
  );
}
