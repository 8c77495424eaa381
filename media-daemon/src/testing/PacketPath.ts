import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createWorker, type types } from 'mediasoup';
import { opusRtpParameters } from './opus.ts';

/** What ends with a test. */
type Ending = { after(end: () => void): void };

const RTP_HEADER_BYTES = 12;

/** A worker that forwards packets from one socket to another one. */
export class PacketPath {
  readonly worker: types.Worker;
  readonly #from: Socket;
  readonly #port: number;
  readonly #ssrc: number;
  readonly #received: Buffer[] = [];
  #sent = 0;

  private constructor(worker: types.Worker, from: Socket, port: number, ssrc: number) {
    this.worker = worker;
    this.#from = from;
    this.#port = port;
    this.#ssrc = ssrc;
  }

  /** @param rtcBatch whether the worker may send in batches. */
  static async open(t: Ending, rtcBatch: 'on' | 'off'): Promise<PacketPath> {
    process.env.MEDIA_DAEMON_RTC_BATCH = rtcBatch;
    const worker = await createWorker({ logLevel: 'none' });
    const router = await worker.createRouter({
      mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }],
    });
    const [from, to] = [createSocket('udp4'), createSocket('udp4')];
    t.after(() => {
      worker.close();
      from.close();
      to.close();
    });
    to.bind(0, '127.0.0.1');
    await once(to, 'listening');
    const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
    const input = await router.createPlainTransport({ listenInfo, comedia: true });
    const output = await router.createPlainTransport({ listenInfo });
    await output.connect({ ip: '127.0.0.1', port: to.address().port });
    const rtpParameters = opusRtpParameters();
    const { id: producerId } = await input.produce({ kind: 'audio', rtpParameters });
    await output.consume({ producerId, rtpCapabilities: router.rtpCapabilities });
    const path = new PacketPath(worker, from, input.tuple.localPort, rtpParameters.encodings[0]?.ssrc ?? 0);
    to.on('message', (packet) => path.#received.push(packet));
    return path;
  }

  /** Sends packets at once, each with this much payload. */
  send(packets: number, payloadBytes: number): void {
    for (let index = 0; index < packets; index++) {
      const packet = Buffer.alloc(RTP_HEADER_BYTES + payloadBytes, this.#sent);
      packet.writeUInt16BE(0x806f, 0);
      packet.writeUInt16BE(this.#sent++ & 0xffff, 2);
      packet.writeUInt32BE((this.#sent * 960) >>> 0, 4);
      packet.writeUInt32BE(this.#ssrc, 8);
      this.#from.send(packet, this.#port, '127.0.0.1');
    }
  }

  get sent(): number {
    return this.#sent;
  }

  /** How many packets have come, whose payload is right and that follow each other. */
  get received(): number {
    let right = 0;
    for (const packet of this.#received) {
      // RTCP comes on the same port.
      if (((packet[1] ?? 0) & 0x7f) === 72) continue;
      if (packet.subarray(-1)[0] !== (right & 0xff)) break;
      right++;
    }
    return right;
  }
}
