import { randomUUID } from 'node:crypto';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { serviceDefinition, serviceHandlers } from '@mediasoup-server/server-kit/grpcService';

/** What every test daemon's rooms can. */
export const rtpCapabilities = {
  codecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 100 }],
  headerExtensions: [{ kind: 'audio', uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', preferredId: 1 }],
};

/** A media daemon as the control plane sees it: a gRPC server, and requests to the control plane. */
export class TestDaemon {
  readonly daemonId: string;
  incarnation = randomUUID() as string;
  url = '';
  region = '';
  grpcAddress = '';
  secret = '';
  /** How many peers the control plane has assigned to it, as of the last answer. */
  assigned = '0';
  /** How CreateRoom fails, if it does. */
  refusal: string | undefined;
  /** The rooms that CreateRoom made, with the epoch of the last call. */
  readonly created = new Map<string, number>();
  /** The rooms that were said to live elsewhere, with the epoch since. */
  readonly moved = new Map<string, number>();
  #server: Server | undefined;
  #port = 0;

  private constructor(daemonId: string) {
    this.daemonId = daemonId;
  }

  static async start(daemonId: string): Promise<TestDaemon> {
    const daemon = new TestDaemon(daemonId);
    await daemon.listen();
    daemon.url = `wss://media.example.com:${daemon.#port}`;
    return daemon;
  }

  /** Opens the gRPC server, on the former port if there was one. */
  async listen(): Promise<void> {
    const server = new Server();
    server.addService(
      serviceDefinition(MediaDaemon),
      serviceHandlers(
        MediaDaemon,
        {
          getInfo: async () => ({ daemonId: this.daemonId, incarnation: this.incarnation }),
          createRoom: async ({ roomId, epoch }) => {
            if (this.refusal !== undefined) throw new Error(this.refusal);
            this.created.set(roomId, Number(epoch));
            return { room: { roomId, epoch, rtpCapabilitiesJson: JSON.stringify(rtpCapabilities) } };
          },
          getRoom: async () => ({}),
          listRooms: async () => ({}),
          closeRoom: async ({ roomId, movedEpoch }) => {
            this.moved.set(roomId, Number(movedEpoch));
            return {};
          },
          listPeers: async () => ({}),
          closePeer: async () => ({}),
          pauseProducer: async () => ({}),
          resumeProducer: async () => ({}),
          closeProducer: async () => ({}),
          sendNotification: async () => ({}),
          getStats: async () => ({}),
          drain: async () => ({}),
          watchEvents: async function* () {},
        },
        async (_call, proceed) =>
          proceed().then(
            () => undefined,
            (error) => ({ code: status.UNAVAILABLE, details: String(error) }),
          ),
      ),
    );
    this.#port = await new Promise<number>((resolve, reject) => {
      const address = `127.0.0.1:${this.#port}`;
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.grpcAddress = `127.0.0.1:${this.#port}`;
    this.#server = server;
  }

  /** Dies without a word. */
  die(): void {
    this.#server?.forceShutdown();
  }

  get registration() {
    const { incarnation, region, url, grpcAddress } = this;
    return { incarnation, region, zone: 'a', url, grpcAddress, version: '0.1.0', formerSecret: this.secret };
  }

  register(controlPlaneUrl: string, daemonKey: string): Promise<Response> {
    return this.#send(controlPlaneUrl, 'POST', '/registrations', daemonKey, this.registration);
  }

  /** Registers and says that it takes peers. */
  async join(controlPlaneUrl: string, daemonKey: string, report: Record<string, unknown> = {}): Promise<void> {
    const answer = await this.register(controlPlaneUrl, daemonKey);
    if (answer.status !== 201) throw new Error(await answer.text());
    this.secret = ((await answer.json()) as { secret: string }).secret;
    this.assigned = '0';
    const heartbeat = await this.heartbeat(controlPlaneUrl, report);
    if (heartbeat.status !== 200) throw new Error(await heartbeat.text());
  }

  async heartbeat(controlPlaneUrl: string, report: Record<string, unknown> = {}): Promise<Response> {
    const { incarnation, assigned } = this;
    const body = { incarnation, state: 'DAEMON_STATE_READY', headroom: 1000, assigned, ...report };
    const answer = await this.#send(controlPlaneUrl, 'POST', '/heartbeats', this.secret, body);
    if (answer.ok) this.assigned = ((await answer.clone().json()) as { assigned: string }).assigned;
    return answer;
  }

  claim(controlPlaneUrl: string, roomId: string): Promise<Response> {
    const body = { incarnation: this.incarnation, rtpCapabilitiesJson: JSON.stringify(rtpCapabilities) };
    return this.#send(controlPlaneUrl, 'PUT', `/rooms/${encodeURIComponent(roomId)}`, this.secret, body);
  }

  report(controlPlaneUrl: string, rooms: readonly { roomId: string; epoch: string }[]): Promise<Response> {
    const body = { incarnation: this.incarnation, rooms, rtpCapabilitiesJson: JSON.stringify(rtpCapabilities) };
    return this.#send(controlPlaneUrl, 'POST', '/rooms', this.secret, body);
  }

  deregister(controlPlaneUrl: string): Promise<Response> {
    return this.#send(controlPlaneUrl, 'DELETE', '', this.secret);
  }

  #send(base: string, method: string, path: string, bearer: string, body?: unknown): Promise<Response> {
    return fetch(`${base}/daemons/${encodeURIComponent(this.daemonId)}${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }
}
