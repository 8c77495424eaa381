import type { Method, RequestData, ResponseData, TransportOptions } from '@mediasoup-server/proto/signaling';
import { Device, type types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { IceWatch } from './IceWatch.ts';

/** Sends a request to the daemon. */
export type SendRequest = <M extends Method>(method: M, data: RequestData<M>) => Promise<ResponseData<M>>;

export interface MediaTransportsEvents {
  /** Whether media can flow has changed. */
  flowChanged: [flowing: boolean];
  /** A transport could not be reconnected. */
  failed: [error: RoomError];
}

export interface MediaTransportsOptions {
  readonly joined: ResponseData<'joinRoom'>;
  readonly iceServers: readonly object[];
  readonly request: SendRequest;
  readonly handlerFactory?: types.HandlerFactory | undefined;
}

/** The WebRTC transports of one session: one to send and one to receive. */
export class MediaTransports extends TypedEmitter<MediaTransportsEvents> {
  readonly device: Device;
  readonly send: types.Transport;
  readonly recv: types.Transport;
  readonly #watches: readonly IceWatch[];
  /** The value of the last `flowChanged`. */
  #emittedFlowing = true;

  /** @throws {RoomError} UNSUPPORTED_BROWSER */
  static async create(options: MediaTransportsOptions): Promise<MediaTransports> {
    const { joined, handlerFactory } = options;
    try {
      const device = await Device.factory(handlerFactory ? { handlerFactory } : {});
      await device.load({ routerRtpCapabilities: joined.rtpCapabilities as types.RtpCapabilities });
      return new MediaTransports(device, options);
    } catch (error) {
      throw RoomError.from(error, 'UNSUPPORTED_BROWSER');
    }
  }

  private constructor(device: Device, { joined, iceServers, request }: MediaTransportsOptions) {
    super();
    const { send, recv } = joined.transports ?? {};
    if (!send || !recv) throw new RoomError('INTERNAL', 'The media server created no transports');
    this.device = device;
    const servers = (joined.iceServers.length > 0 ? joined.iceServers : iceServers) as RTCIceServer[];
    this.send = device.createSendTransport(toTransportOptions(send, servers));
    this.recv = device.createRecvTransport(toTransportOptions(recv, servers));
    this.#watches = [this.send, this.recv].map((transport) => this.#watch(transport, request));
  }

  get flowing(): boolean {
    return this.#watches.every(({ flowing }) => flowing);
  }

  /** Restarts ICE of the transports that are in use, after a change of network. */
  restartIce(): void {
    for (const watch of this.#watches) watch.restart();
  }

  async getStats(): Promise<RTCStatsReport[]> {
    return Promise.all([this.send, this.recv].filter(({ closed }) => !closed).map((transport) => transport.getStats()));
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
    this.send.close();
    this.recv.close();
  }

  #watch(transport: types.Transport, request: SendRequest): IceWatch {
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      // The next request need not wait for the answer, which saves a round trip: the daemon handles requests in order.
      request('connectWebRtcTransport', { transportId: transport.id, dtlsParameters }).catch((error) => {
        watch.fail(RoomError.from(error));
      });
      try {
        done();
      } catch (error) {
        failed(error as Error);
      }
    });
    const watch = new IceWatch({
      restart: async () => {
        const { iceParameters } = await request('restartIce', { transportId: transport.id });
        if (!transport.closed) await transport.restartIce({ iceParameters: iceParameters as types.IceParameters });
        return transport.connectionState === 'connected';
      },
      flowChanged: () => this.#emitFlow(),
      failed: (error) => this.emit('failed', error),
    });
    transport.on('connectionstatechange', (state) => watch.changed(state));
    return watch;
  }

  /** Emits `flowChanged` for both transports together. */
  #emitFlow(): void {
    const { flowing } = this;
    if (flowing === this.#emittedFlowing) return;
    this.#emittedFlowing = flowing;
    this.emit('flowChanged', flowing);
  }
}

function toTransportOptions(options: TransportOptions, iceServers: RTCIceServer[]): types.TransportOptions {
  // The schema leaves mediasoup's own structures open; mediasoup-client checks them.
  const { transportId, ...rest } = options;
  return { ...(rest as unknown as Omit<types.TransportOptions, 'id'>), id: transportId, iceServers };
}
