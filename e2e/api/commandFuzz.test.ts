import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { create, type DescField, type DescMessage, ScalarType, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import fc from 'fast-check';
import { commandsOf, runDaemon } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** Requests. `make soak` tries many more. */
const RUNS = Number(process.env.COMMAND_FUZZ_RUNS ?? 500);
/** Of one HTTP/2 session: the server ends one whose client cancels more than 33 streams a second for long. */
const SESSION_REQUESTS = 10_000;
/** Statuses that a stranger's request may end with. Any other would be an internal error. */
const EXPECTED: ReadonlySet<status> = new Set([status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND]);

const methods = MediaDaemon.methods.filter(({ name }) => name !== 'Drain');

const bigints = (max: bigint) => fc.oneof(fc.bigInt({ min: 0n, max }), fc.constantFrom(0n, 1n, 2n ** 53n, max));
const scalars: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: fc.oneof(
    fc.constantFrom('room', 'alice', 'bob', '', '.', 'null', '{"a":[1]}', '['.repeat(30_000) + ']'.repeat(30_000)),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
  ),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.UINT32]: fc.oneof(fc.nat(), fc.constantFrom(0, 1, 2 ** 32 - 1)),
  [ScalarType.UINT64]: bigints(2n ** 64n - 1n),
  [ScalarType.INT64]: fc.oneof(bigints(2n ** 63n - 1n), fc.constantFrom(-1n, -(2n ** 63n))),
  [ScalarType.INT32]: fc.oneof(fc.integer(), fc.constantFrom(-1, -(2 ** 31))),
};

function anyOf(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'message') return messageOf(field.message);
  const type = field.fieldKind === 'scalar' || field.fieldKind === 'list' ? field.scalar : undefined;
  const scalar = type && scalars[type];
  if (!scalar) throw new Error(`nothing is known to try for ${field}`);
  return field.fieldKind === 'list' ? fc.array(scalar, { maxLength: 5 }) : scalar;
}

const messageOf = (desc: DescMessage): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(desc.fields.map((field) => [field.localName, anyOf(field)])), { requiredKeys: [] });

/** Well-formed requests with any fields, broken ones, and arbitrary bytes. */
const requests = fc.constantFrom(...methods).chain(({ name, input }) => {
  const formed = messageOf(input).map((init) => Buffer.from(toBinary(input, create(input, init))));
  const broken = fc.tuple(formed, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
    if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes;
  });
  const bytes = fc.uint8Array({ maxLength: 200 }).map((any) => Buffer.from(any));
  return fc.oneof({ weight: 4, arbitrary: formed }, broken, bytes).map((body) => ({ name, body }));
});

test('no request to the gRPC port causes an internal error, and nothing is left of it', async (t) => {
  const daemon = await runDaemon(t, { MEDIA_DAEMON_UNJOINED_ROOM_MS: '1' });
  const open = () => connect(`http://127.0.0.1:${daemon.ready.grpcPort}`);
  let session = open();
  t.after(() => session.close());
  let asked = 0;
  const ask = (name: string, body: Buffer) =>
    new Promise<number>((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': `/media.v1.MediaDaemon/${name}`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(body.length, 1);
      stream.on('error', reject);
      stream.on('trailers', (trailers) => resolve(Number(trailers['grpc-status'])));
      // A stream has no end: its first message is enough.
      stream.on('data', () => {
        if (name !== 'WatchEvents') return;
        resolve(status.OK);
        stream.close();
      });
      stream.end(Buffer.concat([prefix, body]));
    });
  const met: Partial<Record<string, number>> = {};
  await fc.assert(
    fc.asyncProperty(requests, async ({ name, body }) => {
      if (++asked % SESSION_REQUESTS === 0) {
        session.close();
        session = open();
      }
      const code = await ask(name, body);
      met[status[code] ?? code] = (met[status[code] ?? code] ?? 0) + 1;
      assert.ok(EXPECTED.has(code), `${name} ends with ${status[code] ?? code}`);
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 3_600_000 },
  );
  t.diagnostic(JSON.stringify(met));
  for (const code of EXPECTED) assert.ok(met[status[code]], `never ${status[code]}`);
  const commands = commandsOf(t, daemon);
  await waitUntil('every room is closed', async () => (await commands.getInfo({})).rooms === 0);
  const metrics = `http://127.0.0.1:${daemon.ready.metricsPort}/metrics`;
  await waitUntil('no watcher is left', async () =>
    /^media_daemon_watchers 0$/m.test(await (await fetch(metrics)).text()),
  );
  const alice = await SignalingClient.join(String(daemon.ready.url), 'room', 'alice');
  await alice.request('ping');
});
