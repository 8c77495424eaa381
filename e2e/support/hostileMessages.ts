import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';

const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** An id that no client reaches, so that a test can tell the answers to these requests from its own. */
const ID = 900_001;
const request = (method: string, data: unknown, id: unknown = ID) =>
  JSON.stringify({ request: true, id, method, data });
/** Each has its own MID, because a MID in use would be the only error found. */
let mid = 0;
const produce = (changes: object) =>
  request('produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: `h${++mid}`, ...changes } });
/** Keys that JSON can have and object literals cannot. */
const prototypes = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';

/** Requests that have broken servers of this kind; each is answered once. */
export const hostileRequests: readonly string[] = [
  `{"request":true,"id":${ID},"method":"constructor","data":{}}`,
  `{"request":true,"id":${ID},"method":"__proto__","data":{}}`,
  `{"request":true,"id":${ID},"method":"hasOwnProperty"}`,
  `{"request":true,"response":true,"notification":true,"id":${ID},"method":"ping"}`,
  `{"request":true,"id":${ID},"method":"updateAppData","data":{"appData":${deep(10_000)}}}`,
  `{"request":true,"id":${ID},"method":"produce","data":{"kind":"audio","rtpParameters":${deep(10_000)}}}`,
  request('x'.repeat(200_000), {}),
  request('ping', { ['k'.repeat(200 * 1024)]: 1 }),
  request('ping', {}, -1),
  request('ping', {}, 0.5),
  request('ping', {}, Number.MAX_SAFE_INTEGER * 2),
  request('ping', {}, ID + 1),
  request('ping', {}, ID + 1),
  request('ping', []),
  request('ping', null),
  request('joinRoom', { roomId: 'room', peerId: 'bob' }),
  request('joinRoom', { roomId: 'other', peerId: 'mallory' }),
  request('updateAppData', { appData: JSON.parse(prototypes) }),
  request('updateAppData', JSON.parse(prototypes)),
  request('createWebRtcTransport', { direction: '__proto__' }),
  request('connectWebRtcTransport', { transportId: '../../etc/passwd', dtlsParameters: { fingerprints: [{}] } }),
  request('produce', { kind: 'video', rtpParameters: { codecs: [], encodings: [{ ssrc: -1 }] } }),
  produce({ encodings: [{ ssrc: -1 }] }),
  produce({ encodings: [{ ssrc: 1.5 }] }),
  produce({ encodings: [{ ssrc: 2 ** 40 }] }),
  produce({ encodings: [] }),
  produce({ encodings: Array.from({ length: 5000 }, (_, ssrc) => ({ ssrc: ssrc + 1 })) }),
  produce({ encodings: [{ ssrc: 77, rtx: { ssrc: 77 }, maxBitrate: -1, scalabilityMode: 'L99T99' }] }),
  produce({ mid: '\u0000' }),
  produce({ headerExtensions: [{ id: -1 }] }),
  produce({ headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 2 ** 33 }] }),
  produce({ codecs: [{ mimeType: 'audio/opus', payloadType: -1, clockRate: 48_000, channels: 2 }] }),
  produce({ codecs: [{ mimeType: 'audio/opus', payloadType: 1e9, clockRate: 0.5, channels: 1e9 }] }),
  produce({ codecs: Array(500).fill(opusRtpParameters().codecs[0]) }),
  produce({ rtcp: { cname: 'x'.repeat(100_000) } }),
  request('produceData', { sctpStreamParameters: { streamId: 65_535 } }),
  request('produceData', { sctpStreamParameters: { streamId: -1 } }),
  request('produceData', { sctpStreamParameters: { streamId: 1, maxPacketLifeTime: 1, maxRetransmits: 1 } }),
  request('setPriority', { consumerId: 'none', priority: Number.MAX_VALUE }),
  request('setPreferredLayers', { consumerId: 'none', spatialLayer: -1 }),
  request('getStats', { transportId: { toString: 'x' } }),
];

/** Text and binary messages that get no answer or an `error`. */
const nonsense: readonly (string | Uint8Array)[] = [
  'null',
  '',
  '\u0000',
  '[[[[[[[[',
  '{"request":true}',
  '{"__proto__":{"request":true}}',
  '{"request":true,"id":1e400,"method":"ping"}',
  '{"response":true,"id":1,"ok":true,"data":null}',
  '{"response":true,"id":-1}',
  '{"notification":true,"method":"leaveRoom2","data":[]}',
  deep(10_000),
  JSON.stringify({ ['k'.repeat(200 * 1024)]: 1 }),
  Buffer.from([0, 255, 254]),
  Buffer.alloc(200_000),
];

export const hostileMessages: readonly (string | Uint8Array)[] = [...hostileRequests, ...nonsense];

/** Requests for objects of another peer. */
export const thefts = (others: { transportId: string; producerId: string; consumerId: string }): readonly string[] => {
  const { transportId, producerId, consumerId } = others;
  return [
    ...['pauseProducer', 'resumeProducer', 'closeProducer', 'getStats'].map((name) => request(name, { producerId })),
    ...['pause', 'resume', 'closeConsumer', 'requestKeyFrame', 'getStats'].map((name) => request(name, { consumerId })),
    ...['restartIce', 'getStats'].map((name) => request(name, { transportId })),
    request('connectWebRtcTransport', {
      transportId,
      dtlsParameters: { fingerprints: [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }] },
    }),
    request('setPriority', { consumerId, priority: 1 }),
    request('setPreferredLayers', { consumerId, spatialLayer: 0 }),
    request('produce', { kind: 'audio', rtpParameters: opusRtpParameters(), transportId }),
    request('produceData', { sctpStreamParameters: { streamId: 5 }, transportId }),
  ];
};

/** WebSocket frames that no client library writes; the server closes the connection on most. */
export const hostileFrames: Readonly<Record<string, readonly number[]>> = {
  'half a frame and silence': [0x81, 0xfe, 0x10, 0x00, 1, 2, 3, 4],
  'an unmasked frame': [0x81, 0x02, 0x7b, 0x7d],
  'a reserved opcode': [0x83, 0x80, 0, 0, 0, 0],
  'reserved bits': [0xf1, 0x80, 0, 0, 0, 0],
  'text that is not UTF-8': [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
  'a frame of 2^63 bytes': [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
  'a fragment of nothing': [0x80, 0x80, 0, 0, 0, 0],
  'a message of ten thousand empty fragments': [
    ...[0x01, 0x80, 0, 0, 0, 0],
    ...Array.from({ length: 10_000 }, () => [0x00, 0x80, 0, 0, 0, 0]).flat(),
  ],
  'a message within a fragmented one': [0x01, 0x81, 0, 0, 0, 0, 0x7b, 0x81, 0x81, 0, 0, 0, 0, 0x7b],
  'a fragmented ping': [0x09, 0x80, 0, 0, 0, 0],
  'a close frame of one byte': [0x88, 0x81, 0, 0, 0, 0, 1],
  'a close frame of a code that does not exist': [0x88, 0x82, 0, 0, 0, 0, 0xff, 0xff],
  'a ping of 126 bytes': [0x89, 0xfe, 0, 126, 0, 0, 0, 0, ...Array<number>(126).fill(0)],
};
