import nodeDataChannel, { type PeerConnection, type Track } from 'node-datachannel';
import { dtlsParametersOf, sdp, type TransportOptions } from './rtp.ts';
import { nack, receiverReport } from './rtxPackets.ts';
import { sendOnTrack } from './sendOnTrack.ts';

/** Between two NACKs and receiver reports. */
const REPORT_MS = 50;

export type RtxParameters = {
  readonly codecs: readonly { mimeType: string; payloadType: number }[];
  readonly encodings: readonly { ssrc: number; rtx?: { ssrc: number } }[];
};

/** Receives the video of one consumer, and requests lost packets again. */
export class RtxReceiver {
  readonly dtlsParameters: ReturnType<typeof dtlsParametersOf>;
  /** The sequence numbers that came as they were sent first, and those that came again as RTX (RFC 4588). */
  readonly received = new Set<number>();
  readonly repaired = new Set<number>();
  readonly ssrc: number;
  readonly #connection: PeerConnection;
  /** Held, because a track without references is garbage-collected and receives nothing more. */
  readonly #tracks: Track[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(transport: TransportOptions, { codecs, encodings }: RtxParameters) {
    const [video, rtx] = codecs;
    const [{ ssrc, rtx: { ssrc: rtxSsrc } = { ssrc: 0 } } = { ssrc: 0 }] = encodings;
    this.ssrc = ssrc;
    this.#connection = new nodeDataChannel.PeerConnection('receiver', { iceServers: [] });
    this.#connection.onTrack((track) => {
      track.onMessage((packet) => {
        // RTCP shares the port; its packets have another type where RTP has the payload's (RFC 5761).
        const payloadType = (packet[1] ?? 0) & 0x7f;
        if (payloadType === video?.payloadType) this.received.add(packet.readUInt16BE(2));
        // The original sequence number follows the header, which may have extensions.
        if (payloadType === rtx?.payloadType) this.repaired.add(packet.readUInt16BE(headerBytes(packet)));
      });
      this.#tracks.push(track);
    });
    const media = [
      `m=video 9 UDP/TLS/RTP/SAVPF ${video?.payloadType} ${rtx?.payloadType}`,
      'a=sendonly',
      `a=rtpmap:${video?.payloadType} VP8/90000`,
      `a=rtpmap:${rtx?.payloadType} rtx/90000`,
      `a=ssrc:${ssrc} cname:sender`,
      `a=ssrc:${rtxSsrc} cname:sender`,
    ];
    this.#connection.setRemoteDescription(sdp(transport, 'actpass', media), 'offer' as never);
    this.dtlsParameters = dtlsParametersOf(this.#connection);
    this.#timer = setInterval(() => this.#report(), REPORT_MS);
  }

  /** The sequence numbers that never came, between the first and the last that did. */
  get missing(): number[] {
    return this.#expected.filter((sequence) => !this.received.has(sequence) && !this.repaired.has(sequence));
  }

  get #expected(): number[] {
    if (this.received.size === 0) return [];
    const [first, last] = [Math.min(...this.received), Math.max(...this.received)];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const track of this.#tracks) track.close();
    this.#connection.close();
  }

  #report(): void {
    const track = this.#tracks[0];
    const [expected, missing] = [this.#expected, this.missing];
    if (!track || expected.length === 0) return;
    const lost = expected.length - this.received.size;
    sendOnTrack(track, receiverReport(this.ssrc, lost, expected.at(-1) ?? 0));
    if (missing.length > 0) sendOnTrack(track, nack(this.ssrc, missing));
  }
}

/** With its header extension, where it has one (RFC 3550, 5.3.1). */
const headerBytes = (packet: Buffer): number => 12 + ((packet[0] ?? 0) & 0x10 ? 4 + 4 * packet.readUInt16BE(14) : 0);
