import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { createWorker, type types } from 'mediasoup';
import nodeDataChannel from 'node-datachannel';
import { dtlsParametersOf, sdp } from '../../e2e/support/rtp.ts';
import { WorkerBatch } from '../../media-daemon/src/workers/WorkerBatch.ts';
import { cpuSeconds } from '../load/processCpu.ts';

/**
 * What batches save: the CPU time of a worker for each packet that it delivers, with batches over without, and over
 * another binary, AUTHORS_WORKER_BIN, where that is given; and how long the packets take. The publishers' packets come
 * one, four and eight at a time, as from a pacer and from an encoder. All workers run at once and take turns, so that
 * both sides of a ratio are measured in the same seconds.
 * `node tools/bench/batch.bench.ts [seconds of a round] [rounds] [packets a second] [2,20,200,50x4] [1,4,8]`
 */

const [seconds = 2, rounds = 5, packetsPerSecond = 64] = process.argv.slice(2, 5).map(Number);
const scenarios = (process.argv[5] ?? '2,20,200,50x4').split(',');
const bursts = (process.argv[6] ?? '1,4,8').split(',').map(Number);
/** What RTP's header and the payload have together, bytes. */
const PACKET_BYTES = 1100;
const VP8: types.RouterRtpCodecCapability = {
  kind: 'video',
  mimeType: 'video/VP8',
  clockRate: 90_000,
  preferredPayloadType: 96,
};
/** How long the last field of a packet is, which says when it was sent, ms: whatever header it gets on the way. */
const SENT_AT_BYTES = 8;
/** After a round, how long a worker is looked at to see whether it has sent everything, ms, and what it does when idle. */
const [LOOK_MS, IDLE_CPU_MS, MOST_LOOKS] = [200, 2, 50];
/** Of how many viewers of a worker the latency is taken. */
const TIMED = 8;
/** How long the first packet of each viewer is waited for, ms. */
const PATIENCE_MS = 120_000;

type Tally = { delivered: number; latencies: number[] };
type Kind = 'batched' | 'single' | 'authors';

/** Sends bursts to a plain transport while it is told to. */
class Publisher {
  readonly #socket = createSocket('udp4');
  readonly #port: number;
  readonly ssrc: number;
  #sequence = 0;

  constructor(port: number, ssrc: number) {
    this.#port = port;
    this.ssrc = ssrc;
  }

  burst(packets: number): void {
    for (let index = 0; index < packets; index++) {
      // dgram sends later, so that each packet needs memory of its own.
      const packet = Buffer.alloc(PACKET_BYTES);
      packet.writeUInt16BE(0x8060, 0);
      packet.writeUInt16BE(++this.#sequence & 0xffff, 2);
      packet.writeUInt32BE((this.#sequence * 90) >>> 0, 4);
      packet.writeUInt32BE(this.ssrc, 8);
      // The start of a key frame (RFC 7741), so that a viewer has it from any packet on.
      packet.writeUInt8(0x10, 12);
      packet.writeDoubleBE(performance.now(), PACKET_BYTES - SENT_AT_BYTES);
      this.#socket.send(packet, this.#port, '127.0.0.1');
    }
  }
}

/** A worker with rooms, and everybody in them. */
class Server {
  readonly kind: Kind;
  readonly worker: types.Worker;
  readonly batch: WorkerBatch | undefined;
  readonly tally: Tally = { delivered: 0, latencies: [] };
  /** How many viewers each publisher's packets go to, over all publishers. */
  consumers = 0;
  readonly #publishers: Publisher[] = [];
  readonly #begun: Promise<void>[] = [];
  /** Held, since a track that nobody holds is collected. */
  readonly #held: unknown[] = [];

  private constructor(kind: Kind, worker: types.Worker) {
    this.kind = kind;
    this.worker = worker;
    this.batch = WorkerBatch.find(worker.pid);
  }

  static async start(kind: Kind): Promise<Server> {
    process.env.MEDIA_DAEMON_RTC_BATCH = kind === 'single' ? 'off' : 'on';
    const other = kind === 'authors' && process.env.AUTHORS_WORKER_BIN;
    return new Server(kind, await createWorker({ logLevel: 'none', ...(other && { workerBin: other }) }));
  }

  async fill(rooms: number, publishers: number, viewers: number): Promise<void> {
    const buffers = { sendBufferSize: 4 << 20, recvBufferSize: 4 << 20 };
    const listenInfo = { protocol: 'udp', ip: '127.0.0.1', ...buffers } as const;
    const webRtcServer = await this.worker.createWebRtcServer({ listenInfos: [listenInfo] });
    for (let room = 0; room < rooms; room++) {
      const router = await this.worker.createRouter({ mediaCodecs: [VP8] });
      const producers: types.Producer[] = [];
      for (let index = 0; index < publishers; index++) {
        const input = await router.createPlainTransport({ listenInfo, comedia: true });
        const publisher = new Publisher(input.tuple.localPort, 1000 + this.#publishers.length);
        this.#publishers.push(publisher);
        const rtpParameters = {
          codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }],
          encodings: [{ ssrc: publisher.ssrc }],
        };
        producers.push(await input.produce({ kind: 'video', rtpParameters }));
      }
      for (let viewer = 0; viewer < viewers; viewer++)
        // In a room of peers nobody receives what it sends itself.
        await this.#view(
          router,
          webRtcServer,
          producers.filter((_, index) => publishers === 1 || index !== viewer),
        );
    }
    const feeding = setInterval(() => this.burst(1), 100);
    const late = delay(PATIENCE_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${this.kind}: not every viewer received something in ${PATIENCE_MS / 1000} s`);
    });
    await Promise.race([Promise.all(this.#begun), late]);
    clearInterval(feeding);
  }

  burst(packets: number): void {
    for (const publisher of this.#publishers) publisher.burst(packets);
  }

  async #view(router: types.Router, webRtcServer: types.WebRtcServer, producers: types.Producer[]): Promise<void> {
    const transport = await router.createWebRtcTransport({ webRtcServer });
    const connection = new nodeDataChannel.PeerConnection('viewer', { iceServers: [] });
    const isTimed = this.#held.length < TIMED;
    const begun = Promise.withResolvers<void>();
    this.#begun.push(begun.promise);
    connection.onTrack((track) => {
      this.#held.push(track);
      track.onMessage((packet) => {
        if (packet.length < PACKET_BYTES) return;
        begun.resolve();
        this.tally.delivered++;
        if (isTimed) this.tally.latencies.push(performance.now() - packet.readDoubleBE(packet.length - SENT_AT_BYTES));
      });
    });
    const codecs = [{ ...VP8, preferredPayloadType: 96, rtcpFeedback: [{ type: 'nack', parameter: 'pli' }] }];
    const consumers: types.Consumer[] = [];
    for (const { id } of producers)
      consumers.push(await transport.consume({ producerId: id, rtpCapabilities: { codecs, headerExtensions: [] } }));
    this.consumers += consumers.length;
    const ssrcs = consumers.map(({ rtpParameters }) => `a=ssrc:${rtpParameters.encodings?.[0]?.ssrc} cname:publisher`);
    const lines = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=sendonly', 'a=rtpmap:96 VP8/90000', ...ssrcs];
    connection.setRemoteDescription(sdp(transport, 'actpass', lines), 'offer' as never);
    this.#held.push(connection);
    await transport.connect({ dtlsParameters: dtlsParametersOf(connection) as types.DtlsParameters });
  }
}

const kinds: Kind[] = ['batched', 'single', ...(process.env.AUTHORS_WORKER_BIN ? (['authors'] as const) : [])];
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const quantile = (values: number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? Number.NaN;
const print = (line: string) => process.stdout.write(`${line}\n`);
const cpuOf = async ({ worker: { pid } }: Server) => (await cpuSeconds(pid)).get(pid) ?? 0;

type Round = { micros: number; latencies: number[]; arrived: number };

/**
 * Microseconds of the worker's CPU for each packet that it sends to a viewer, over a round. All are counted, not those
 * that have arrived: this process may be late with the others.
 */
async function measure(server: Server, burst: number): Promise<Round> {
  const everyMs = (1000 * burst) / packetsPerSecond;
  const [begin, cpu] = [performance.now(), await cpuOf(server)];
  let sends = 0;
  server.tally.delivered = 0;
  server.tally.latencies = [];
  for (let next = begin; next < begin + seconds * 1000; next += everyMs) {
    await delay(Math.max(0, next - performance.now()));
    server.burst(burst);
    sends++;
  }
  let used = await cpuOf(server);
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    await delay(LOOK_MS);
    const more = (await cpuOf(server)) - used;
    used += more;
    if (more * 1000 < IDLE_CPU_MS) break;
  }
  const { delivered, latencies } = server.tally;
  const sent = sends * burst * server.consumers;
  return { micros: ((used - cpu) / sent) * 1e6, latencies, arrived: delivered / sent };
}

nodeDataChannel.preload();
for (const scenario of scenarios) {
  const [of = 1, peers] = scenario.split('x').map(Number);
  const [rooms, publishers, viewers] = peers ? [of, peers, peers] : [1, 1, of];
  const servers: Server[] = [];
  for (const kind of kinds) {
    const server = await Server.start(kind);
    await server.fill(rooms, publishers, viewers);
    servers.push(server);
  }
  for (const burst of bursts) {
    const measured = new Map<Kind, Round[]>(kinds.map((kind) => [kind, []]));
    const before = servers[0]?.batch?.read();
    for (let round = 0; round < rounds; round++)
      for (const server of servers) measured.get(server.kind)?.push(await measure(server, burst));
    const after = servers[0]?.batch?.read();
    const micros = (kind: Kind) => (measured.get(kind) ?? []).map((round) => round.micros);
    const over = (kind: Kind) =>
      median(micros('batched').map((value, round) => value / (micros(kind)[round] ?? Number.NaN)));
    const perMessage =
      after && before ? (after.datagrams - before.datagrams) / (after.messages - before.messages) : Number.NaN;
    print(
      `${peers ? `${rooms} rooms of ${peers}` : `${viewers} viewers`}, bursts of ${burst}: batched over single x${over('single').toFixed(3)}` +
        `${kinds.includes('authors') ? `, over the other binary x${over('authors').toFixed(3)}` : ''}; ${perMessage.toFixed(2)} packets a message`,
    );
    for (const kind of kinds) {
      const latencies = (measured.get(kind) ?? []).flatMap((round) => round.latencies);
      const arrived = (100 * median((measured.get(kind) ?? []).map((round) => round.arrived))).toFixed(0);
      print(
        `  ${kind.padEnd(8)} ${median(micros(kind)).toFixed(2)} us of CPU a packet, latency p50 ${quantile(latencies, 0.5).toFixed(2)} ms, p99 ${quantile(latencies, 0.99).toFixed(2)} ms, ${arrived} % arrived in the round`,
      );
    }
  }
  for (const { worker } of servers) worker.close();
}
process.exit();
