import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, type Registry } from 'prom-client';
import { closer } from './listener.ts';

/** Serves a registry at `GET /metrics` in Prometheus' text format, on a listener of its own. */
export async function serveMetrics(
  registry: Registry,
  { host, port }: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  const close = closer(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close,
  };
}

/**
 * A counter whose label has few values. Each value is exported as 0 from the start, because Prometheus sees no increase when a
 * series begins at 1.
 */
export function counterOf<Label extends string>(
  values: Readonly<Record<Label, readonly string[]>>,
  { name, help, registers }: { name: string; help: string; registers: Registry[] },
): Counter<Label> {
  const [[label, known]] = Object.entries(values) as [[Label, readonly string[]]];
  const counter = new Counter({ name, help, registers, labelNames: [label] });
  for (const value of known) counter.labels(value).inc(0);
  return counter;
}

/** A row for each metric whose name starts with the prefix: name, type, labels, meaning. */
export function metricsTable(registry: Registry, prefix: string): string {
  const metrics = registry.getMetricsAsArray().filter(({ name }) => name.startsWith(prefix));
  const rows = metrics.map((metric) => {
    const { name, help, type, labelNames } = metric as typeof metric & { labelNames: string[] };
    const labels = labelNames.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${labels} | ${help.replaceAll('|', '\\|')} |`;
  });
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
