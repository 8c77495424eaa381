import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import nodeDataChannel, { type PeerConnection } from 'node-datachannel';
import { type OpenTrack, sendOnTrack } from './sendOnTrack.ts';
import { waitUntil } from './waitUntil.ts';

/** Cheap WebRTC ends for tests: libdatachannel against a daemon's transports, without a browser. */

export type TransportOptions = {
  readonly iceParameters: { readonly usernameFragment: string; readonly password: string };
  readonly iceCandidates: readonly {
    foundation: string;
    priority: number;
    ip: string;
    port: number;
    protocol: string;
    type: string;
  }[];
  readonly dtlsParameters: { readonly fingerprints: readonly { algorithm: string; value: string }[] };
};

const OPUS = 111;
const VP8 = 96;
/** The header extension's id. */
const AUDIO_LEVEL = 1;
/** The fixed RTP header and the audio level. */
const HEADER_BYTES = 20;

/** Describes a daemon's transport as SDP for libdatachannel. */
export function sdp(transport: TransportOptions, setup: 'passive' | 'actpass', media: readonly string[]): string {
  const { iceParameters, iceCandidates, dtlsParameters } = transport;
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    'a=group:BUNDLE 0',
    ...media,
    'c=IN IP4 127.0.0.1',
    'a=mid:0',
    'a=rtcp-mux',
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    `a=fingerprint:sha-256 ${fingerprint?.value}`,
    `a=setup:${setup}`,
    ...iceCandidates
      .filter(({ protocol }) => protocol === 'udp')
      .map((c) => `a=candidate:${c.foundation} 1 udp ${c.priority} ${c.ip} ${c.port} typ ${c.type}`),
    'a=end-of-candidates',
    '',
  ].join('\r\n');
}

export function dtlsParametersOf(connection: PeerConnection) {
  const value = /a=fingerprint:sha-256 (\S+)/i.exec(connection.localDescription()?.sdp ?? '')?.[1];
  if (!value) throw new Error('the local description has no fingerprint');
  return { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] };
}

/** Sends Opus packets at 50 a second on a send transport, once it is connected. */
export class OpusSender {
  readonly dtlsParameters: ReturnType<typeof dtlsParametersOf>;
  readonly rtpParameters;
  readonly #connection: PeerConnection;
  readonly #track: OpenTrack;
  #stopped = false;
  #toLose = 0;

  constructor(transport: TransportOptions, ssrc: number) {
    const connection = new nodeDataChannel.PeerConnection('sender', { iceServers: [], disableAutoNegotiation: true });
    const audio = new nodeDataChannel.Audio('0', 'SendOnly');
    audio.addOpusCodec(OPUS);
    audio.addSSRC(ssrc, 'sender');
    const track = connection.addTrack(audio);
    track.onMessage(() => {});
    connection.setLocalDescription('offer' as never);
    const media = [`m=audio 9 UDP/TLS/RTP/SAVPF ${OPUS}`, 'a=recvonly', `a=rtpmap:${OPUS} opus/48000/2`];
    connection.setRemoteDescription(sdp(transport, 'passive', media), 'answer' as never);
    this.#connection = connection;
    this.#track = track;
    this.dtlsParameters = dtlsParametersOf(connection);
    this.rtpParameters = {
      codecs: [
        { mimeType: 'audio/opus', payloadType: OPUS, clockRate: 48_000, channels: 2, parameters: {}, rtcpFeedback: [] },
      ],
      headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: AUDIO_LEVEL }],
      encodings: [{ ssrc }],
      rtcp: { cname: 'sender' },
    };
    void this.#send(ssrc);
  }

  /**
   * Also sends VP8 simulcast, over the same track, which sends any RTP.
   *
   * @param temporal sends three temporal layers, of which each packet belongs to another one: viewers are switched between
   * them all the time.
   * @returns the parameters to produce with.
   */
  sendSimulcast(ssrcs: readonly number[], { temporal = false } = {}) {
    void this.#sendKeyFrames(ssrcs, temporal);
    return {
      mid: 'camera',
      codecs: [{ mimeType: 'video/VP8', payloadType: VP8, clockRate: 90_000, parameters: {}, rtcpFeedback: [] }],
      headerExtensions: [],
      encodings: ssrcs.map((ssrc) => ({ ssrc, ...(temporal && { scalabilityMode: 'L1T3' }) })),
      rtcp: { cname: 'sender' },
    };
  }

  async #sendKeyFrames(ssrcs: readonly number[], temporal: boolean): Promise<void> {
    // biome-ignore lint/plugin: it sends until the test closes it
    for (let sequence = 0; !this.#stopped; sequence++) {
      for (const ssrc of this.#track.isOpen() ? ssrcs : []) {
        // After the header a payload descriptor that says "start of a frame", and a key frame's zero bit (RFC 7741).
        const packet = Buffer.alloc(12 + 1 + 40);
        packet.writeUInt16BE(0x8080 | VP8, 0);
        packet.writeUInt16BE(sequence & 0xffff, 2);
        packet.writeUInt32BE((sequence * 1800) >>> 0, 4);
        packet.writeUInt32BE(ssrc, 8);
        packet.writeUInt8(0x10, 12);
        // Every other packet says that it is of the layer 1 or 2 and may be switched up to.
        if (temporal && sequence % 2 === 1) packet.writeUIntBE(sequence % 4 === 1 ? 0x9020a0 : 0x902060, 12, 3);
        sendOnTrack(this.#track, packet);
      }
      await delay(20);
    }
  }

  /** Drops the next packets of Opus, as a network does. */
  lose(packets: number): void {
    this.#toLose += packets;
  }

  async #send(ssrc: number): Promise<void> {
    const track = this.#track;
    // biome-ignore lint/plugin: it sends until the test closes it
    for (let sequence = 0; !this.#stopped; sequence++) {
      if (track.isOpen()) {
        const packet = Buffer.alloc(HEADER_BYTES + 40, 0x5a);
        packet.writeUInt16BE(0x9000 | OPUS, 0);
        packet.writeUInt16BE(sequence & 0xffff, 2);
        packet.writeUInt32BE((sequence * 960) >>> 0, 4);
        packet.writeUInt32BE(ssrc, 8);
        // One extension of one byte, speech at -20 dBov (RFC 8285, RFC 6464), and two bytes of padding.
        packet.writeUInt32BE(0xbede0001, 12);
        packet.writeUInt32BE((AUDIO_LEVEL << 28) | ((0x80 | 20) << 16), 16);
        if (this.#toLose > 0) this.#toLose--;
        else sendOnTrack(track, packet);
      }
      await delay(20);
    }
  }

  close(): void {
    this.#stopped = true;
    this.#connection.close();
  }
}

/** Receives what one consumer of a receive transport forwards. */
export class OpusReceiver {
  readonly dtlsParameters: ReturnType<typeof dtlsParametersOf>;
  /** The sequence numbers of the RTP packets that arrived. */
  readonly received: number[] = [];
  /** Held, because a track without references is garbage-collected and receives nothing more. */
  readonly #tracks: { close(): void }[] = [];
  readonly #connection: PeerConnection;

  constructor(
    transport: TransportOptions,
    rtpParameters: { codecs: { payloadType: number }[]; encodings: { ssrc: number }[] },
  ) {
    const connection = new nodeDataChannel.PeerConnection('receiver', { iceServers: [] });
    const payloadType = rtpParameters.codecs[0]?.payloadType;
    const ssrc = rtpParameters.encodings[0]?.ssrc;
    connection.onTrack((track) => {
      track.onMessage((message) => {
        // RTCP shares the port; its packet types are 200 to 206 (RFC 5761).
        if (((message[1] ?? 0) & 0x7f) === payloadType) this.received.push(message.readUInt16BE(2));
      });
      this.#tracks.push(track);
    });
    const media = [
      `m=audio 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
      'a=sendonly',
      `a=rtpmap:${payloadType} opus/48000/2`,
      `a=ssrc:${ssrc} cname:sender`,
    ];
    connection.setRemoteDescription(sdp(transport, 'actpass', media), 'offer' as never);
    this.#connection = connection;
    this.dtlsParameters = dtlsParametersOf(connection);
  }

  close(): void {
    for (const track of this.#tracks) track.close();
    this.#connection.close();
  }
}

/** Sends Opus on a peer's send transport. Returns the producer's id. */
export async function connectSender(
  t: TestContext,
  client: SignalingClient,
  transport: TransportOptions & { transportId: string },
): Promise<string> {
  const sender = new OpusSender(transport, 4711);
  t.after(() => sender.close());
  const { transportId } = transport;
  await client.request('connectWebRtcTransport', { transportId, dtlsParameters: sender.dtlsParameters });
  return (await client.request('produce', { kind: 'audio', rtpParameters: sender.rtpParameters })).producerId;
}

/** Receives a producer on a peer's receive transport. */
export async function connectReceiver(
  t: TestContext,
  client: SignalingClient,
  transport: TransportOptions & { transportId: string },
  producerId: string,
  rtpCapabilities: unknown,
): Promise<OpusReceiver> {
  const { consumerId, rtpParameters } = await client.request('consume', { producerId, rtpCapabilities });
  const receiver = new OpusReceiver(transport, rtpParameters);
  t.after(() => receiver.close());
  const { transportId } = transport;
  await client.request('connectWebRtcTransport', { transportId, dtlsParameters: receiver.dtlsParameters });
  await client.request('resume', { consumerId });
  return receiver;
}

/** Two peers in a room, of whom one sends and the other receives. */
export async function callOf(t: TestContext, url: string, roomId: string) {
  const join = async (peerId: string, direction: 'send' | 'recv') => {
    const client = await SignalingClient.open(url, roomId, peerId);
    return { client, joined: await client.request('joinRoom', { roomId, peerId, transports: [direction] }) };
  };
  const dora = await join('dora', 'send');
  const emil = await join('emil', 'recv');
  const producerId = await connectSender(t, dora.client, dora.joined.transports.send);
  const { transports, rtpCapabilities } = emil.joined;
  const receiver = await connectReceiver(t, emil.client, transports.recv, producerId, rtpCapabilities);
  await waitUntil('the first packet arrives', () => receiver.received.length > 0);
  return { receiver, rtpCapabilities };
}

/** Asserts that every packet came once and in order. */
export function assertNoGap(received: readonly number[]): void {
  for (const [index, sequence] of received.entries()) {
    const before = received[index - 1];
    if (before !== undefined) assert.equal(sequence, (before + 1) & 0xffff, `after ${before}`);
  }
}
