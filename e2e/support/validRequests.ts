import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import type { Method } from '@mediasoup-server/proto/signaling';

const fingerprints = [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }];

/** The peer of a request: ids by the name of their field, and its RTP capabilities. */
export type Asking = {
  readonly peerId: string;
  readonly id: (name: string) => string;
  readonly rtpCapabilities: object;
};

/**
 * Data that matches the schema of each method and has every member, so that each can be replaced.
 *
 * @param pick chooses among equally valid values.
 */
export function validRequests(pick: number, { peerId, id, rtpCapabilities }: Asking): Readonly<Record<string, object>> {
  const ofProducer = { producerId: id('producerId') };
  const ofTransport = { transportId: id('transportId') };
  const ofConsumer = { consumerId: id('consumerId') };
  const ofDataProducer = { dataProducerId: id('dataProducerId') };
  const ofDataConsumer = { dataConsumerId: id('dataConsumerId') };
  const appData = { pick };
  return {
    joinRoom: { roomId: 'room', peerId, sessionId: id('sessionId'), appData, lastMessage: 0, messagesOfMs: 1000 },
    updateAppData: { appData },
    sendMessage: {
      data: 'aGVsbG8=',
      encoding: 'base64',
      topic: 'chat',
      senderId: `sender-${pick % 10}`,
      number: pick,
      to: pick % 2 ? [peerId] : ['alice', 'bob'],
      ...(pick % 3 === 0 && { after: pick - 1 }),
    },
    createWebRtcTransport: { direction: pick % 2 ? 'send' : 'recv', forceTcp: pick % 3 === 0 },
    connectWebRtcTransport: { ...ofTransport, dtlsParameters: { role: 'client', fingerprints } },
    restartIce: ofTransport,
    produce: { ...(pick % 2 ? audio(pick) : simulcast(pick)), appData, paused: pick % 3 === 0 },
    pauseProducer: ofProducer,
    resumeProducer: ofProducer,
    closeProducer: ofProducer,
    consume: { ...ofProducer, rtpCapabilities, paused: pick % 2 === 0 },
    pause: ofConsumer,
    resume: ofConsumer,
    closeConsumer: ofConsumer,
    setPreferredLayers: { ...ofConsumer, spatialLayer: pick % 3, temporalLayer: pick % 4 },
    setPriority: { ...ofConsumer, priority: (pick % 255) + 1 },
    requestKeyFrame: ofConsumer,
    produceData: {
      sctpStreamParameters: {
        streamId: pick % 1000,
        ordered: pick % 3 === 0,
        ...(pick % 3 === 1 && { maxRetransmits: 3 }),
        ...(pick % 3 === 2 && { maxPacketLifeTime: 100 }),
      },
      label: 'chat',
      protocol: 'text',
      appData,
    },
    closeDataProducer: ofDataProducer,
    consumeData: ofDataProducer,
    closeDataConsumer: ofDataConsumer,
    getStats: [ofTransport, ofProducer, ofConsumer, ofDataProducer, ofDataConsumer][pick % 5] as object,
    ping: {},
  } satisfies Record<Exclude<Method, 'leaveRoom'>, object>;
}

const extension = (id: number, uri: string) => ({ id, uri, encrypt: false, parameters: {} });

/** Each call has SSRCs of its own. */
function audio(pick: number) {
  const { codecs, encodings, rtcp } = opusRtpParameters();
  return {
    kind: 'audio',
    rtpParameters: {
      mid: `a${pick % 1000}`,
      codecs: codecs.map((codec) => ({ ...codec, rtcpFeedback: [{ type: 'transport-cc', parameter: '' }] })),
      headerExtensions: [extension(1, 'urn:ietf:params:rtp-hdrext:sdes:mid')],
      encodings: encodings.map(({ ssrc }) => ({ ssrc, codecPayloadType: 111, dtx: true, maxBitrate: 64_000 })),
      rtcp: { ...rtcp, reducedSize: true, mux: true },
      msid: 'stream track',
    },
  };
}

function simulcast(pick: number) {
  const { encodings, rtcp } = opusRtpParameters();
  const ssrc = encodings[0]?.ssrc ?? 0;
  const rtcpFeedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }];
  const layer = (at: number) => ({
    ssrc: ssrc + at * 100_000_000,
    rtx: { ssrc: ssrc + at * 100_000_000 + 50_000_000 },
    maxBitrate: at * 100_000,
    scalabilityMode: 'L1T3',
  });
  return {
    kind: 'video',
    rtpParameters: {
      mid: `v${pick % 1000}`,
      codecs: [
        { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, parameters: {}, rtcpFeedback },
        { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 }, rtcpFeedback: [] },
      ],
      headerExtensions: [extension(1, 'urn:ietf:params:rtp-hdrext:sdes:mid')],
      encodings: [layer(1), layer(2)],
      rtcp,
    },
  };
}
