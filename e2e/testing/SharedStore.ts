import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type EmbeddedDynamo, startEmbeddedDynamo } from '@mediasoup-server/control-plane/embedded-dynamo';
import { TcpProxy } from './TcpProxy.ts';

/** Tables that several control planes share, behind a relay that can be made to fail. */
export class SharedStore {
  readonly #t: TestContext;
  readonly relay: TcpProxy;
  /** One of so many requests is let through, and the others are throttled. */
  throttle = 1;
  readonly #front: Server;
  #store: EmbeddedDynamo | undefined;
  #requests = 0;

  private constructor(t: TestContext, relay: TcpProxy) {
    this.#t = t;
    this.relay = relay;
    this.#front = createServer((incoming, answer) => {
      if (++this.#requests % this.throttle === 0) this.#forward(incoming, answer);
      else throttled(answer);
    });
  }

  static async start(t: TestContext): Promise<SharedStore> {
    const store = new SharedStore(t, await TcpProxy.start(t));
    await store.empty();
    store.#front.listen(0, '127.0.0.1');
    await once(store.#front, 'listening');
    t.after(async () => {
      store.#front.close().closeAllConnections();
      await store.#store?.close();
    });
    return store;
  }

  /** The settings of a control plane that uses these tables. */
  get settings(): Record<string, string> {
    return {
      CONTROL_PLANE_STORE: 'dynamodb',
      CONTROL_PLANE_DYNAMODB_ENDPOINT: `http://127.0.0.1:${(this.#front.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
  }

  /** Puts another store without tables in the place of the one that runs. */
  async empty(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'tables-'));
    this.#t.after(() => rm(folder, { recursive: true, force: true }));
    const fresh = await startEmbeddedDynamo(folder);
    this.relay.to = Number(new URL(fresh.endpoint).port);
    this.relay.reset();
    await this.#store?.close();
    this.#store = fresh;
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method, headers, url: path } = incoming;
    const onward = request({ host: '127.0.0.1', port: this.relay.port, method, headers, path }, (came) => {
      answer.writeHead(came.statusCode ?? 500, came.headers);
      came.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }
}

/** What DynamoDB answers who asks too much. */
function throttled(answer: ServerResponse): void {
  answer.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
  answer.end(
    JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
      message: 'The level of configured provisioned throughput for the table was exceeded.',
    }),
  );
}
