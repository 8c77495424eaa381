import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DescField, ScalarType } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { commandsOf, runDaemon } from '../support/stack.ts';

/** Codes that would mean an internal error. */
const FAULTS: ReadonlySet<status> = new Set([status.INTERNAL, status.UNKNOWN, status.UNAVAILABLE]);
/** Milliseconds after which an event stream counts as accepted. */
const WATCHED_MS = 20;

const unsigned = [0, 1, 255, 65_536, 2 ** 31, 2 ** 32 - 1];
const signed = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
const long = [0n, 1n, 2n ** 53n, 2n ** 63n - 1n];
/** Values that replace each scalar on the wire. */
const hostileScalars: Partial<Record<ScalarType, readonly unknown[]>> = {
  [ScalarType.STRING]: [
    ...['', ' ', '.', '..', '*', '__proto__', 'constructor', '\u0000', '0.5', 'null', '{', '[]', '"\\ud800"'],
    ...['x'.repeat(70_000), '['.repeat(30_000) + ']'.repeat(30_000)],
  ],
  [ScalarType.BOOL]: [false, true],
  [ScalarType.UINT32]: unsigned,
  [ScalarType.INT32]: signed,
  [ScalarType.UINT64]: [...long, 2n ** 64n - 1n],
  [ScalarType.INT64]: [...long, -1n, -(2n ** 63n)],
};

/** Values that replace a whole field. */
function hostileValuesOf(field: DescField): readonly unknown[] {
  if (field.fieldKind === 'message')
    return [
      {},
      ...field.message.fields.flatMap((inner) => hostileValuesOf(inner).map((value) => ({ [inner.localName]: value }))),
    ];
  const scalar = field.fieldKind === 'scalar' || field.fieldKind === 'list' ? field.scalar : undefined;
  const values = scalar && hostileScalars[scalar];
  if (!values) throw new Error(`nothing is known to try for ${field}`);
  if (field.fieldKind !== 'list') return values;
  return [[], Array(1001).fill(values[1]), ...values.map((value) => [value]), ...values.map((value) => [value, value])];
}

test('no value in any field of a command causes an internal error, and other rooms continue', async (t) => {
  const daemon = await runDaemon(t, { MEDIA_DAEMON_WORKERS: '1' });
  const url = String(daemon.ready.url);
  const commands = commandsOf(t, daemon);
  const calls = commands as unknown as Record<string, (request: object, settings?: object) => unknown>;
  const join = async (roomId: string, peerId: string) => {
    const client = await SignalingClient.open(url, roomId, peerId);
    const joined = await client.request('joinRoom', { roomId, peerId, transports: ['send', 'recv'] });
    const { producerId } = await client.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
    return { client, producerId, rtpCapabilities: joined.rtpCapabilities };
  };
  const bystander = await join('other', 'bystander');
  let messages = 0;
  for (const { localName, methodKind, input } of MediaDaemon.methods.filter(({ name }) => name !== 'Drain')) {
    const ask = async (request: object) => {
      messages++;
      try {
        const signal = methodKind === 'unary' ? undefined : AbortSignal.timeout(WATCHED_MS);
        const answer = calls[localName]?.(request, { signal });
        if (methodKind === 'unary') await answer;
        else for await (const _ of answer as AsyncIterable<unknown>) break;
        return status.OK;
      } catch (error) {
        return (error as { code: status }).code;
      }
    };
    for (const field of input.fields)
      for (const value of [undefined, ...hostileValuesOf(field)]) {
        // A kicked peer is refused, so another one joins.
        const found = await commands.listPeers({ roomId: 'room' }).catch(() => undefined);
        if (!found?.peers.length) await join('room', `peer-${messages}`);
        const [peer] = (await commands.listPeers({ roomId: 'room' })).peers;
        const { peerId, producers } = peer ?? { peerId: 'none', producers: [] };
        const producerId = producers[0]?.producerId ?? 'none';
        const valid = { roomId: 'room', peerId, producerId, epoch: 1n, dataJson: '{}', pageSize: 10 };
        const request = Object.fromEntries(
          input.fields.map(({ localName: name }) => [name, valid[name as keyof typeof valid]]),
        );
        const code = await ask({ ...request, [field.localName]: value });
        assert.ok(
          !FAULTS.has(code),
          `${localName}, ${field.localName}: ${String(value).slice(0, 50)}: ${status[code]}`,
        );
      }
  }
  t.diagnostic(`${messages} commands`);
  const guest = await join('other', 'guest');
  const { producerId } = guest;
  await bystander.client.request('consume', { producerId, rtpCapabilities: bystander.rtpCapabilities });
  assert.ok(!bystander.client.unread.includes('reconnect'), 'its worker has died');
});
