import nodeDataChannel from 'node-datachannel';
import { dtlsParametersOf, sdp } from '../../e2e/support/rtp.ts';
import { sendOnTrack } from '../../e2e/support/sendOnTrack.ts';
import { type Entered, enter, type Target } from './enter.ts';
import type { Recording } from './recording.ts';
import { AUDIO_LEVEL, RtpPackets } from './rtpPackets.ts';

const OPUS = { payloadType: 111, clockRate: 48_000 };
const VP8 = { payloadType: 96, clockRate: 90_000 };
export const OPUS_FRAME_MS = 20;
/** -dBov. */
const SILENCE = 127;
/** RTCP's payload-specific feedback, and in it the picture loss indication (RFC 4585, 6.1 and 6.3.1). */
const [FEEDBACK, PICTURE_LOSS] = [206, 1];
/** How often the sender checks which packets are due, ms. */
const LOOK_MS = 5;

export type PublisherOptions = {
  readonly recording: Recording;
  /** Video frames a second; 0 for audio only. */
  readonly fps: number;
  readonly audio: boolean;
  /** Marks its audio as silence. By default it is a voice, whose level the daemon sends to all peers. */
  readonly silent?: boolean;
};

/** A peer that sends the recording in a loop, each frame at its time. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #client: Entered['client'];
  readonly #connection;
  readonly #track;
  readonly #audio = new RtpPackets(OPUS.payloadType);
  readonly #video = new RtpPackets(VP8.payloadType);
  readonly #timer: NodeJS.Timeout;
  #startedAt: number | undefined;
  #audioFrames = 0;
  #videoFrames = 0;
  /** The next frame of the recording's video. */
  #picture = 0;

  static async open(target: Target, roomId: string, peerId: string, options: PublisherOptions): Promise<Publisher> {
    const { client, transport } = await enter(target, roomId, peerId, 'send');
    const publisher = new Publisher(client, transport, options);
    const { transportId } = transport;
    const dtlsParameters = dtlsParametersOf(publisher.#connection);
    await client.request('connectWebRtcTransport', { transportId, dtlsParameters });
    if (options.audio) await client.request('produce', publisher.#audioParameters());
    if (options.fps > 0) await client.request('produce', publisher.#videoParameters());
    return publisher;
  }

  private constructor(client: Entered['client'], transport: Entered['transport'], options: PublisherOptions) {
    this.#client = client;
    this.#options = options;
    this.#connection = new nodeDataChannel.PeerConnection('publisher', {
      iceServers: [],
      disableAutoNegotiation: true,
    });
    // One track carries both kinds: libdatachannel sends any RTP it is given.
    const media = new nodeDataChannel.Audio('0', 'SendOnly');
    media.addOpusCodec(OPUS.payloadType);
    for (const { ssrc } of [this.#audio, this.#video]) media.addSSRC(ssrc, 'publisher');
    this.#track = this.#connection.addTrack(media);
    this.#track.onMessage((packet) => {
      if (packet[1] === FEEDBACK && ((packet[0] ?? 0) & 0x1f) === PICTURE_LOSS) this.#picture = 0;
    });
    this.#connection.setLocalDescription('offer' as never);
    const lines = [
      `m=audio 9 UDP/TLS/RTP/SAVPF ${OPUS.payloadType}`,
      'a=recvonly',
      `a=rtpmap:${OPUS.payloadType} opus/48000/2`,
    ];
    this.#connection.setRemoteDescription(sdp(transport, 'passive', lines), 'answer' as never);
    this.#timer = setInterval(() => this.#sendDue(), LOOK_MS);
  }

  /** Whether its socket is open. A peer without one is removed after the grace time, and its media ends. */
  get isConnected(): boolean {
    return this.#client.socket.readyState === this.#client.socket.OPEN;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#connection.close();
    this.#client.close();
  }

  #sendDue(): void {
    if (!this.#track.isOpen()) return;
    const now = performance.now();
    this.#startedAt ??= now;
    const elapsedMs = now - this.#startedAt;
    const { audio, silent, fps, recording } = this.#options;
    for (; audio && this.#audioFrames * OPUS_FRAME_MS <= elapsedMs; this.#audioFrames++) {
      const sound = recording.audio[this.#audioFrames % recording.audio.length];
      const ticks = (this.#audioFrames * OPUS_FRAME_MS * OPUS.clockRate) / 1000;
      if (sound) this.#send(this.#audio.opus(silent ? { ...sound, level: SILENCE } : sound, ticks));
    }
    for (; fps > 0 && (this.#videoFrames * 1000) / fps <= elapsedMs; this.#videoFrames++) {
      const frame = recording.video[this.#picture % recording.video.length];
      this.#picture++;
      const ticks = Math.round((this.#videoFrames * VP8.clockRate) / fps);
      for (const packet of frame ? this.#video.vp8(frame, ticks) : []) this.#send(packet);
    }
  }

  #send(packet: Buffer): void {
    sendOnTrack(this.#track, packet);
  }

  #audioParameters() {
    const codec = { mimeType: 'audio/opus', ...OPUS, channels: 2, parameters: {}, rtcpFeedback: [] };
    const headerExtensions = [{ ...AUDIO_LEVEL, encrypt: false, parameters: {} }];
    const rtpParameters = { ...this.#rtpParameters('audio', codec, this.#audio.ssrc), headerExtensions };
    return { kind: 'audio', rtpParameters };
  }

  #videoParameters() {
    const rtcpFeedback = [{ type: 'nack', parameter: 'pli' }];
    const codec = { mimeType: 'video/VP8', ...VP8, parameters: {}, rtcpFeedback };
    return { kind: 'video', rtpParameters: this.#rtpParameters('video', codec, this.#video.ssrc) };
  }

  #rtpParameters(mid: string, codec: object, ssrc: number) {
    return { mid, codecs: [codec], headerExtensions: [], encodings: [{ ssrc }], rtcp: { cname: 'publisher' } };
  }
}
