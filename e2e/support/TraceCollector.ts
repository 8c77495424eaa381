import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

/** A span as it arrived, with the service that sent it. */
export type ReceivedSpan = {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
};

type Attribute = { readonly key: string; readonly value: { readonly stringValue?: string } };
type Resource = { readonly attributes: Attribute[] };
type SentSpan = Omit<ReceivedSpan, 'service' | 'attributes'> & { readonly attributes: Attribute[] };
type Sent = {
  readonly resourceSpans: { readonly resource: Resource; readonly scopeSpans: { readonly spans: SentSpan[] }[] }[];
};

const valuesOf = (attributes: Attribute[]): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? '']));

/** Receives the traces of processes: OTLP over HTTP, as JSON. */
export class TraceCollector {
  readonly spans: ReceivedSpan[] = [];
  readonly url: string;

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(t: TestContext): Promise<TraceCollector> {
    const server = createServer(async (request, response) => {
      collector.#receive(request.url, (await json(request)) as Sent);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const collector = new TraceCollector((server.address() as AddressInfo).port);
    return collector;
  }

  #receive(path: string | undefined, { resourceSpans }: Sent): void {
    if (path !== '/v1/traces') throw new Error(`traces are not sent to ${path}`);
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(valuesOf(resource.attributes)['service.name']);
      for (const { spans } of scopeSpans)
        this.spans.push(...spans.map((span) => ({ ...span, service, attributes: valuesOf(span.attributes) })));
    }
  }
}
