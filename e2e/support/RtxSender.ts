import { setTimeout as delay } from 'node:timers/promises';
import nodeDataChannel, { type PeerConnection } from 'node-datachannel';
import { dtlsParametersOf, sdp, type TransportOptions } from './rtp.ts';
import { isPictureLoss, nackedBy, senderReport } from './rtxPackets.ts';
import { sendOnTrack } from './sendOnTrack.ts';

const VP8 = 96;
/** The payload type of packets sent again. */
export const RTX = 97;
const HEADER_BYTES = 12;
/** One in this many packets is a key frame. */
const KEY_FRAME_EVERY = 50;
const INTERVAL_MS = 5;
/** One in this many packets is followed by a sender report. */
const REPORT_EVERY = 40;
/** mediasoup takes a stream that begins with 0 for one that has wrapped around. */
const FIRST_SEQUENCE = 1000;

/** Sends video, a packet a frame, and sends again what the daemon misses (RFC 4588). */
export class RtxSender {
  readonly dtlsParameters: ReturnType<typeof dtlsParametersOf>;
  readonly rtpParameters;
  readonly ssrc: number;
  /** Received requests for a key frame. */
  keyFrameRequests = 0;
  readonly #connection: PeerConnection;
  readonly #track;
  /** Sent packets by sequence number. */
  readonly #sent = new Map<number, Buffer>();
  #repairs = 0;
  #stopped = false;

  constructor(transport: TransportOptions, ssrc: number) {
    this.ssrc = ssrc;
    const connection = new nodeDataChannel.PeerConnection('sender', { iceServers: [], disableAutoNegotiation: true });
    const video = new nodeDataChannel.Video('0', 'SendOnly');
    video.addVP8Codec(VP8);
    for (const sent of [ssrc, ssrc + 1]) video.addSSRC(sent, 'sender');
    this.#track = connection.addTrack(video);
    this.#track.onMessage((packet) => {
      if (isPictureLoss(packet)) this.keyFrameRequests++;
      for (const sequence of nackedBy(packet, ssrc)) this.#sendAgain(sequence);
    });
    connection.setLocalDescription('offer' as never);
    const media = [`m=video 9 UDP/TLS/RTP/SAVPF ${VP8}`, 'a=recvonly', `a=rtpmap:${VP8} VP8/90000`];
    connection.setRemoteDescription(sdp(transport, 'passive', media), 'answer' as never);
    this.#connection = connection;
    this.dtlsParameters = dtlsParametersOf(connection);
    const codec = { clockRate: 90_000, parameters: {}, rtcpFeedback: [] };
    this.rtpParameters = {
      codecs: [
        {
          ...codec,
          mimeType: 'video/VP8',
          payloadType: VP8,
          rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
        },
        { ...codec, mimeType: 'video/rtx', payloadType: RTX, parameters: { apt: VP8 } },
      ],
      headerExtensions: [],
      encodings: [{ ssrc, rtx: { ssrc: ssrc + 1 } }],
      rtcp: { cname: 'sender' },
    };
    void this.#send();
  }

  close(): void {
    this.#stopped = true;
    this.#connection.close();
  }

  async #send(): Promise<void> {
    // biome-ignore lint/plugin: it sends until the test closes it
    for (let sequence = FIRST_SEQUENCE; !this.#stopped; await delay(INTERVAL_MS)) {
      if (!this.#track.isOpen()) continue;
      // A payload descriptor that says "start of a frame", and the frame's lowest bit, which is zero in key frames (RFC 7741).
      const payload = Buffer.alloc(100);
      payload.writeUInt8(0x10, 0);
      payload.writeUInt8(sequence % KEY_FRAME_EVERY === 0 ? 0 : 1, 1);
      const packet = Buffer.concat([this.#header(VP8, sequence, sequence, this.ssrc), payload]);
      this.#sent.set(sequence & 0xffff, packet);
      sendOnTrack(this.#track, packet);
      if (sequence % REPORT_EVERY === 0)
        sendOnTrack(this.#track, senderReport(this.ssrc, packet.readUInt32BE(4), Date.now()));
      sequence++;
    }
  }

  #sendAgain(sequence: number): void {
    const packet = this.#sent.get(sequence);
    if (!packet) return;
    const header = this.#header(RTX, this.#repairs++, 0, this.ssrc + 1);
    packet.copy(header, 4, 4, 8);
    sendOnTrack(this.#track, Buffer.concat([header, packet.subarray(2, 4), packet.subarray(HEADER_BYTES)]));
  }

  #header(payloadType: number, sequence: number, frame: number, ssrc: number): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(0x8080 | payloadType, 0);
    header.writeUInt16BE(sequence & 0xffff, 2);
    header.writeUInt32BE((frame * 90 * INTERVAL_MS) >>> 0, 4);
    header.writeUInt32BE(ssrc, 8);
    return header;
  }
}
