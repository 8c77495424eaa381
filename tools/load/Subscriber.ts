import nodeDataChannel from 'node-datachannel';
import { dtlsParametersOf, sdp } from '../../e2e/support/rtp.ts';
import { type Entered, enter, type Target } from './enter.ts';
import { StreamMeter, type StreamReport } from './StreamMeter.ts';

/** The longest wait for the first packet of each stream, ms. */
const PATIENCE_MS = 20_000;

type Consumed = {
  readonly consumerId: string;
  readonly rtpParameters: {
    readonly codecs: readonly { payloadType: number; mimeType: string; clockRate: number }[];
    readonly encodings: readonly { ssrc: number }[];
  };
};

/** A peer that consumes all producers that are in the room when it joins, and measures each stream. */
export class Subscriber {
  readonly #client: Entered['client'];
  readonly #meters = new Map<number, StreamMeter>();
  readonly #connection;
  /** Kept, since a track without a reference is garbage-collected and receives nothing more. */
  readonly #tracks: { close(): void }[] = [];

  /** @param streams the number of streams in the room. */
  static async open(target: Target, roomId: string, peerId: string, streams: number): Promise<Subscriber> {
    const entered = await enter(target, roomId, peerId, 'recv');
    try {
      return await Subscriber.#receiveAll(entered, streams);
    } catch (error) {
      entered.client.close();
      throw error;
    }
  }

  static async #receiveAll(entered: Entered, streams: number): Promise<Subscriber> {
    const { client, transport } = entered;
    const rtpCapabilities = capabilities(entered.rtpCapabilities);
    const consumed: Consumed[] = [];
    for (let stream = 0; stream < streams; stream++) {
      const { producerId } = await client.notified('newProducer');
      consumed.push(await client.request('consume', { producerId, rtpCapabilities }));
    }
    const subscriber = new Subscriber(client, transport, consumed);
    const { transportId } = transport;
    const dtlsParameters = dtlsParametersOf(subscriber.#connection);
    await client.request('connectWebRtcTransport', { transportId, dtlsParameters });
    for (const meter of subscriber.#meters.values()) meter.asked(performance.now());
    await Promise.all(consumed.map(({ consumerId }) => client.request('resume', { consumerId })));
    return subscriber;
  }

  private constructor(client: Entered['client'], transport: Entered['transport'], consumed: readonly Consumed[]) {
    this.#client = client;
    const codecs = new Map(
      consumed.flatMap(({ rtpParameters }) => rtpParameters.codecs.map((c) => [c.payloadType, c])),
    );
    for (const { rtpParameters } of consumed)
      for (const { ssrc } of rtpParameters.encodings)
        this.#meters.set(ssrc, new StreamMeter(rtpParameters.codecs[0]?.clockRate ?? 1));
    this.#connection = new nodeDataChannel.PeerConnection('subscriber', { iceServers: [] });
    this.#connection.onTrack((track) => {
      track.onMessage((packet) => {
        // RTCP shares the port. Its packet type is where RTP has the payload type (RFC 5761).
        if (codecs.has((packet[1] ?? 0) & 0x7f))
          this.#meters.get(packet.readUInt32BE(8))?.take(packet, performance.now());
      });
      this.#tracks.push(track);
    });
    const lines = [
      `m=audio 9 UDP/TLS/RTP/SAVPF ${[...codecs.keys()].join(' ')}`,
      'a=sendonly',
      ...[...codecs.values()].map(
        (codec) => `a=rtpmap:${codec.payloadType} ${codec.mimeType.split('/')[1]}/${codec.clockRate}`,
      ),
      ...[...this.#meters.keys()].map((ssrc) => `a=ssrc:${ssrc} cname:publisher`),
    ];
    this.#connection.setRemoteDescription(sdp(transport, 'actpass', lines), 'offer' as never);
  }

  get reports(): StreamReport[] {
    return [...this.#meters.values()].map(({ report }) => report);
  }

  /** Resolves when each stream has started or its wait has timed out. */
  async begun(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while (this.reports.some(({ received }) => received === 0) && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Whether its socket is open. A peer without one is removed after the grace time, and its media ends. */
  get isConnected(): boolean {
    return this.#client.socket.readyState === this.#client.socket.OPEN;
  }

  close(): void {
    for (const track of this.#tracks) track.close();
    this.#connection.close();
    this.#client.close();
  }
}

/** The capabilities of libdatachannel, which has no retransmissions and no bandwidth estimation. */
const capabilities = ({ codecs }: Entered['rtpCapabilities']) => ({
  codecs: codecs
    .filter(({ mimeType }) => /\/(opus|VP8)$/i.test(mimeType))
    .map((codec) => ({ ...codec, rtcpFeedback: [{ type: 'nack', parameter: 'pli' }] })),
  headerExtensions: [],
});
