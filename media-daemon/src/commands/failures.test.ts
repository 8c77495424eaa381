import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { create, type DescMessage, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type CallSettings, serviceCalls } from '@mediasoup-server/backend-client/calls';
import { errorReason, fieldViolations } from '@mediasoup-server/backend-client/errorDetails';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

type Method = keyof (typeof MediaDaemon)['method'];
type Invoke = (method: Method, request: object, settings?: CallSettings) => Promise<unknown>;

async function commanded(t: TestContext) {
  const daemon = await testDaemon(t);
  const client = new Client(`127.0.0.1:${daemon.grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const calls = serviceCalls(MediaDaemon, client);
  const invoke: Invoke = async (method, request, settings) => {
    const answer = calls[method](request as never, settings);
    return Symbol.asyncIterator in answer ? answer.next() : answer;
  };
  return { ...daemon, invoke };
}

const failure = async (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => assert.fail('the call succeeded'),
    (error: ServiceError) => error,
  );

const long = 'x'.repeat(201);
const room = { roomId: 'room' };
const hello = { ...room, dataJson: '1' };

/** A request of each method that succeeds when the peer `alice` is in the room, but for what is not valid of it. */
const methods: Record<Method, { request: object; bad?: Record<string, object>; unknown?: object[] }> = {
  getInfo: { request: {} },
  createRoom: { request: room, bad: { room_id: { roomId: 'a\nb' }, epoch: { epoch: 2n ** 53n } } },
  getRoom: { request: room, bad: { room_id: { roomId: '' } }, unknown: [{ roomId: 'nope' }] },
  listRooms: { request: {}, bad: { page_token: { pageToken: long } } },
  closeRoom: {
    request: { roomId: 'other' },
    bad: { room_id: { roomId: '..' }, reason: { reason: long }, moved_epoch: { movedEpoch: 2n ** 64n - 1n } },
    unknown: [{ roomId: 'nope' }],
  },
  listPeers: {
    request: room,
    bad: { room_id: { roomId: 'x'.repeat(129) }, page_token: { pageToken: long } },
    unknown: [{ roomId: 'nope' }],
  },
  closePeer: {
    request: { ...room, peerId: 'bob' },
    bad: {
      room_id: { roomId: '' },
      peer_id: { peerId: '' },
      reason: { reason: long },
      refuse_for: { refuseFor: { seconds: -1n, nanos: 0 } },
    },
    unknown: [{ roomId: 'nope' }, { peerId: 'nobody' }],
  },
  pauseProducer: {
    request: { ...room, producerId: 'none' },
    bad: { room_id: { roomId: '' }, producer_id: { producerId: long }, by: { by: long } },
    unknown: [{ roomId: 'nope' }, { producerId: 'none' }],
  },
  resumeProducer: {
    request: { ...room, producerId: 'none' },
    bad: { room_id: { roomId: '' }, producer_id: { producerId: long }, by: { by: long } },
    unknown: [{ roomId: 'nope' }, { producerId: 'none' }],
  },
  closeProducer: {
    request: { ...room, producerId: 'none' },
    bad: { room_id: { roomId: '' }, producer_id: { producerId: long } },
    unknown: [{ roomId: 'nope' }, { producerId: 'none' }],
  },
  sendNotification: {
    request: hello,
    bad: {
      room_id: { roomId: '' },
      'peer_ids[1]': { peerIds: ['alice', ''] },
      peer_ids: { peerIds: Array(1001).fill('alice') },
      from: { from: long },
      data_json: { dataJson: '{' },
    },
    unknown: [{ roomId: 'nope' }],
  },
  getStats: {
    request: { ...room, peerId: 'alice' },
    bad: { room_id: { roomId: '' }, peer_id: { peerId: 'a/b\0' }, page_token: { pageToken: long } },
    unknown: [{ roomId: 'nope' }, { peerId: 'nobody' }],
  },
  drain: { request: {}, bad: { deadline: { deadline: { seconds: 86_401n, nanos: 0 } } } },
  watchEvents: { request: room, bad: { room_id: { roomId: '..' }, cursor: { cursor: long } } },
};
const all = Object.entries(methods) as [Method, (typeof methods)[Method]][];

test('each method names the invalid field or the missing object, and does nothing', async (t) => {
  const { invoke, url } = await commanded(t);
  for (const peerId of ['alice', 'bob']) await SignalingClient.join(url, 'room', peerId);
  await SignalingClient.join(url, 'other', 'carol');
  const state = async () => JSON.stringify(await invoke('listRooms', {}), (_, value) => String(value));
  const before = await state();
  for (const [method, { request, bad = {}, unknown = [] }] of all) {
    for (const [field, change] of Object.entries(bad)) {
      const error = await failure(invoke(method, { ...request, ...change }));
      assert.equal(error.code, status.INVALID_ARGUMENT, `${method} ${field}`);
      assert.equal(errorReason(error), 'INVALID_REQUEST');
      assert.deepEqual(
        fieldViolations(error).map((violation) => violation.field),
        [field],
        method,
      );
      assert.ok(error.details.startsWith(`INVALID_REQUEST: ${field}`), error.details);
    }
    for (const change of unknown) {
      const error = await failure(invoke(method, { ...request, ...change }));
      assert.equal(error.code, status.NOT_FOUND, `${method} ${JSON.stringify(change)}`);
      assert.ok(error.details.startsWith(`${errorReason(error)}: `), error.details);
    }
  }
  assert.equal(await state(), before);
});

test('each method answers DEADLINE_EXCEEDED or CANCELLED to an impatient caller', async (t) => {
  const { invoke, url } = await commanded(t);
  await SignalingClient.join(url, 'room', 'alice');
  for (const [method, { request }] of all) {
    if (method === 'drain') continue;
    const late = await failure(invoke(method, request, { deadline: Date.now() - 1 }));
    assert.equal(late.code, status.DEADLINE_EXCEEDED, method);
    const cancelled = await failure(invoke(method, request, { signal: AbortSignal.abort() }));
    assert.equal(cancelled.code, status.CANCELLED, method);
  }
});

/** Sends each method what a careless client could, and resolves to the codes that the daemon answers with. */
async function codesOf(
  t: TestContext,
  grpcPort: number,
  headers: object,
  messageOf: (method: Method) => Uint8Array,
): Promise<Record<string, status>> {
  const session = connect(`http://127.0.0.1:${grpcPort}`);
  t.after(() => session.close());
  const codes = await Promise.all(
    all.map(async ([method]) => {
      const message = messageOf(method);
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      const stream = session.request({
        ':method': 'POST',
        ':path': `/media.v1.MediaDaemon/${MediaDaemon.method[method].name}`,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      });
      let code = '';
      const take = (answered: IncomingHttpHeaders) => {
        code = String(answered['grpc-status'] ?? code);
      };
      stream.on('response', take).on('trailers', take).resume();
      stream.end(Buffer.concat([prefix, message]));
      await once(stream, 'close');
      return [method, Number(code)] as const;
    }),
  );
  return Object.fromEntries(codes);
}

const every = (code: status) => Object.fromEntries(all.map(([method]) => [method, code]));

test('each method refuses a request that is not a message of its type', async (t) => {
  const { grpcPort, invoke, metricsPort } = await commanded(t);
  const codes = await codesOf(t, grpcPort, {}, () => Buffer.alloc(10, 0xff));
  assert.deepEqual(codes, every(status.INVALID_ARGUMENT));
  await invoke('getInfo', {});
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(metrics, /commands_total\{method="watchEvents",code="3"\} 1/);
});

test('no method acts after its deadline', async (t) => {
  const { grpcPort, invoke } = await commanded(t);
  const requestOf = (method: Method) => {
    const input: DescMessage = MediaDaemon.method[method].input;
    return toBinary(input, create(input, { ...methods[method].request }));
  };
  assert.deepEqual(await codesOf(t, grpcPort, { 'grpc-timeout': '1n' }, requestOf), every(status.DEADLINE_EXCEEDED));
  // Neither was a room made, nor does the daemon drain.
  assert.equal((await failure(invoke('getRoom', room))).code, status.NOT_FOUND);
  await invoke('createRoom', room);
});

test('a command that waits for a media worker ends with its deadline and with its caller', async (t) => {
  const { invoke, url, metricsPort } = await commanded(t);
  const alice = await SignalingClient.open(url, 'room', 'alice');
  await alice.request('joinRoom', { roomId: 'room', peerId: 'alice', transports: ['send', 'recv'] });
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const { workers } = (await invoke('getInfo', {})) as { workers: { pid: number }[] };
  const pid = workers[0]?.pid ?? 0;
  const asking = {
    getStats: { ...room, peerId: 'alice' },
    createRoom: { roomId: 'new' },
    pauseProducer: { ...room, producerId },
  };
  for (const [method, request] of Object.entries(asking) as [Method, object][]) {
    process.kill(pid, 'SIGSTOP');
    const late = await failure(invoke(method, request, { deadline: Date.now() + 300 }));
    assert.equal(late.code, status.DEADLINE_EXCEEDED, method);
    const gone = new AbortController();
    const again = method === 'pauseProducer' ? 'resumeProducer' : method;
    const cancelled = failure(invoke(again, request, { signal: gone.signal }));
    await invoke('getInfo', {});
    gone.abort();
    assert.equal((await cancelled).code, status.CANCELLED, again);
    // The daemon notices while the worker still says nothing; whether the deadline or the caller went first is not certain.
    const ended = async (of: Method) => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const counts = [...text.matchAll(new RegExp(`commands_total\\{method="${of}",code="[14]"\\} (\\d+)`, 'g'))];
      return counts.reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const both = async () => (method === again ? ended(method) : (await ended(method)) + (await ended(again)));
    await t.waitFor(async () => assert.equal(await both(), 2), { interval: 20, timeout: 60_000 });
    process.kill(pid, 'SIGCONT');
    await alice.request('ping');
  }
  await invoke('getStats', asking.getStats);
});

test('a draining daemon makes no rooms and obeys every other command', async (t) => {
  const { invoke, url, drain } = await commanded(t);
  for (const peerId of ['alice', 'bob']) await SignalingClient.join(url, 'room', peerId);
  await SignalingClient.join(url, 'other', 'carol');
  void drain();
  for (const [method, { request, unknown = [] }] of all) {
    const made = method === 'createRoom' ? { roomId: 'new' } : request;
    const code = await invoke(method, made).then(
      () => status.OK,
      (error: ServiceError) => error.code,
    );
    const missing = unknown.some((change) => 'producerId' in change);
    assert.equal(code, method === 'createRoom' ? status.UNAVAILABLE : missing ? status.NOT_FOUND : status.OK, method);
  }
});

test('a request id is returned, and generated if none or an invalid one is sent', async (t) => {
  const { grpcPort } = await commanded(t);
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const idOf = async (given?: string) => {
    const metadata = new Metadata();
    if (given !== undefined) metadata.set('x-request-id', given);
    return new Promise<string>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        '/media.v1.MediaDaemon/GetInfo',
        () => Buffer.alloc(0),
        (bytes) => bytes,
        {},
        metadata,
        (error) => error && reject(error),
      );
      call.on('metadata', (answered) => resolve(String(answered.get('x-request-id')[0])));
    });
  };
  assert.equal(await idOf('job-7'), 'job-7');
  assert.match(await idOf(), /^[0-9a-f-]{36}$/);
  assert.match(await idOf('a b'), /^[0-9a-f-]{36}$/);
});
