import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

const request = (method: string, data: unknown, id: unknown = 1) => JSON.stringify({ request: true, id, method, data });
const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** What has broken servers of this kind: each is sent as it is, by a peer that has joined. */
const corpus: readonly (string | Buffer)[] = [
  'null',
  '',
  '\u0000',
  '[[[[[[[[',
  '{"request":true}',
  '{"__proto__":{"request":true}}',
  '{"request":true,"id":1,"method":"constructor","data":{}}',
  '{"request":true,"id":1,"method":"__proto__","data":{}}',
  '{"request":true,"id":1,"method":"hasOwnProperty"}',
  '{"request":true,"id":1e400,"method":"ping"}',
  '{"request":true,"response":true,"notification":true,"id":1,"method":"ping"}',
  '{"response":true,"id":1,"ok":true,"data":null}',
  '{"response":true,"id":-1}',
  '{"notification":true,"method":"leaveRoom2","data":[]}',
  deep(10_000),
  `{"request":true,"id":1,"method":"updateAppData","data":{"appData":${deep(10_000)}}}`,
  `{"request":true,"id":1,"method":"produce","data":{"kind":"audio","rtpParameters":${deep(10_000)}}}`,
  JSON.stringify({ request: true, id: 1, method: 'x'.repeat(200_000) }),
  JSON.stringify({ ['k'.repeat(200_000)]: 1 }),
  request('ping', {}, -1),
  request('ping', {}, 0.5),
  request('ping', {}, Number.MAX_SAFE_INTEGER * 2),
  request('ping', {}, 7),
  request('ping', {}, 7),
  request('joinRoom', { roomId: 'room', peerId: 'bob' }),
  request(
    'updateAppData',
    JSON.parse('{"appData":{"__proto__":{"polluted":true},"constructor":{"prototype":{"a":1}}}}'),
  ),
  request('createWebRtcTransport', { direction: '__proto__' }),
  request('connectWebRtcTransport', { transportId: '../../etc/passwd', dtlsParameters: { fingerprints: [{}] } }),
  request('produce', { kind: 'video', rtpParameters: { codecs: [], encodings: [{ ssrc: -1 }] } }),
  request('produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), encodings: [{ ssrc: 1.5 }] } }),
  request('produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), encodings: [{ ssrc: 2 ** 40 }] } }),
  request('produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: '\u0000' } }),
  request('produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), headerExtensions: [{ id: -1 }] } }),
  request('produceData', { sctpStreamParameters: { streamId: 65_535 } }),
  request('produceData', { sctpStreamParameters: { streamId: 1, maxPacketLifeTime: 1, maxRetransmits: 1 } }),
  request('setPriority', { consumerId: 'none', priority: Number.MAX_VALUE }),
  request('getStats', { transportId: { toString: 'x' } }),
  Buffer.from([0, 255, 254]),
  Buffer.alloc(200_000),
];

/** Bytes of WebSocket frames that no client library writes; the server ends the connection over some. */
const frames: Record<string, readonly number[]> = {
  'half a frame and silence': [0x81, 0xfe, 0x10, 0x00, 1, 2, 3, 4],
  'an unmasked frame': [0x81, 0x02, 0x7b, 0x7d],
  'a reserved opcode': [0x83, 0x80, 0, 0, 0, 0],
  'reserved bits': [0xf1, 0x80, 0, 0, 0, 0],
  'text that is not UTF-8': [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
  'a frame of 2^63 bytes': [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
  'a fragment of nothing': [0x80, 0x80, 0, 0, 0, 0],
  'a close frame of one byte': [0x88, 0x81, 0, 0, 0, 0, 1],
  'a ping of 126 bytes': [0x89, 0xfe, 0, 126, 0, 0, 0, 0, ...Array<number>(126).fill(0)],
};

test('whatever a peer sends, the daemon goes on serving the others', async (t) => {
  const { url, httpUrl } = await testDaemon(t, {
    MEDIA_DAEMON_PING_INTERVAL_MS: '500',
    MEDIA_DAEMON_JOIN_TIMEOUT_MS: '500',
  });
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const mallory = await SignalingClient.join(url, 'room', 'mallory');
  await mallory.request('createWebRtcTransport', { direction: 'send' });
  for (const message of corpus) mallory.socket.send(message);
  await mallory.request('ping');
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  await bob.request('ping');

  const { port } = new URL(url);
  for (const [name, bytes] of Object.entries(frames)) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `GET /?roomId=room&peerId=raw HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: protoo\r\n\r\n`,
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.write(Buffer.from(bytes));
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    assert.ok((await bob.ask('ping')).ok, name);
  }
  const over = JSON.stringify({ [`${'k'.repeat(1_048_576)}`]: 1 });
  mallory.socket.send(over);
  assert.equal(await mallory.closed, 1009);
  await bob.notified('peerLeft');
  assert.equal((await fetch(`${httpUrl}/health`)).status, 200);
  await SignalingClient.join(url, 'room', 'carol');
});
