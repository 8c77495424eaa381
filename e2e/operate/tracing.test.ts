import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { runDaemon, Stack } from '../support/stack.ts';
import { type ReceivedSpan, TraceCollector } from '../support/TraceCollector.ts';
import { waitForValue } from '../support/waitUntil.ts';

/** The trace of a frontend, which it sends with its request (W3C Trace Context). */
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

const refusing = {
  NODE_OPTIONS: `--import ${fileURLToPath(new URL('../support/refuseOpenTelemetry.ts', import.meta.url))}`,
};
const joining = { roomId: 'lobby', peerId: 'alice' };

test('an assignment, the creation of its room and the join are one trace across both processes', async (t) => {
  const collector = await TraceCollector.start(t);
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const stack = await Stack.start(t, tracing);
  const daemon = await stack.startDaemon('daemon-a', tracing);
  const answer = await fetch(`${stack.controlPlaneUrl}/rooms/lobby/assignments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${TRACE}-${PARENT}-01` },
    body: JSON.stringify({ peerId: 'alice' }),
  });
  const alice = await SignalingClient.openUrl(((await answer.json()) as { url: string }).url);
  await alice.request('joinRoom', joining);
  const spanOf = (service: string, name: string): Promise<ReceivedSpan> =>
    waitForValue(
      `${service} has sent the span "${name}"`,
      () => collector.spans.find((one) => one.service === service && one.name === name),
      () => collector.spans.map((one) => `${one.service}: ${one.name}`),
    );
  const assigned = await spanOf('control-plane', 'POST /rooms/:roomId/assignments');
  const read = await spanOf('control-plane', 'get rooms');
  const commanded = await spanOf('control-plane', 'media.v1.MediaDaemon/CreateRoom');
  const made = await spanOf('media-daemon', 'media.v1.MediaDaemon/CreateRoom');
  const joined = await spanOf('media-daemon', 'joinRoom');
  assert.equal(assigned.parentSpanId, PARENT);
  assert.equal(read.parentSpanId, assigned.spanId);
  assert.equal(commanded.parentSpanId, assigned.spanId);
  assert.equal(made.parentSpanId, commanded.spanId);
  assert.equal(joined.parentSpanId, assigned.spanId);
  for (const span of [assigned, read, commanded, made, joined]) assert.equal(span.traceId, TRACE, span.name);
  assert.deepEqual(joined.attributes, joining);
  assert.equal(commanded.attributes.daemonId, 'daemon-a');
  const traces = new Set(collector.spans.map(({ traceId }) => traceId));
  assert.deepEqual([...traces], [TRACE], 'heartbeats and their tables are no traces');
  // The log names the trace.
  const line = daemon.log.map((one) => JSON.parse(one)).find(({ msg }) => msg === 'peer joined');
  assert.equal(line.traceId, TRACE);
});

test('the OpenTelemetry SDK is not loaded without an endpoint for traces', async (t) => {
  const stack = await Stack.start(t, refusing);
  await stack.startDaemon('daemon-a', refusing);
  const alice = await SignalingClient.openUrl((await stack.assign('lobby', 'alice')).url);
  await alice.request('joinRoom', joining);
  const tracing = { ...refusing, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
  await assert.rejects(runDaemon(t, tracing), /@opentelemetry\/\S+ is loaded/);
});
