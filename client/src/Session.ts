import type { Assignment } from '@mediasoup-server/proto/http';
import type {
  Method,
  Notification,
  NotificationData,
  RequestData,
  ResponseData,
  TransportOptions,
} from '@mediasoup-server/proto/signaling';
import { Device, type types } from 'mediasoup-client';
import { Peer, WebSocketTransport } from 'protoo-client';
import { layeredEncodings } from './encodings.ts';
import { protooToRoomError, RoomError } from './errors.ts';
import { TypedEmitter } from './events.ts';
import type { LocalTrack } from './LocalTrack.ts';
import { RemoteTrack } from './RemoteTrack.ts';

/** How long the socket may take to open, ms. */
const OPEN_TIMEOUT_MS = 8_000;
/** How often the daemon is asked whether it is there (a browser cannot see WebSocket pings), ms. */
const PING_INTERVAL_MS = 5_000;
/** How long it may take to answer that, ms. */
const PING_TIMEOUT_MS = 5_000;
/** How long after `roomClosed` the socket's end, which says what to do next, is waited for, ms. */
const ROOM_CLOSED_WAIT_MS = 1_000;
/** How often a `consume` that was refused because of a rate limit is repeated. */
const MOST_CONSUME_ATTEMPTS = 5;

type AnyNotification = { [Name in Notification]: { method: Name; data: NotificationData<Name> } }[Notification];

interface Subscription {
  readonly producerId: string;
  muted: boolean;
  closed: boolean;
  consumer?: types.Consumer;
  remote?: RemoteTrack;
}

export interface SessionEvents {
  peerJoined: [peerId: string, appData: Record<string, unknown>];
  peerLeft: [peerId: string];
  trackSubscribed: [track: RemoteTrack];
  trackUnsubscribed: [track: RemoteTrack];
  trackMuted: [track: RemoteTrack];
  trackUnmuted: [track: RemoteTrack];
  /** The session is over and closed, and `close()` was not called. */
  died: [error: RoomError];
}

export interface SessionOptions {
  readonly assignment: Assignment;
  readonly appData: Record<string, unknown>;
}

/**
 * One connection's life: a socket, a joined room and two WebRTC transports on one daemon. It never reconnects; when
 * any of them is lost it dies as a whole, and the room makes a new one.
 */
export class Session extends TypedEmitter<SessionEvents> {
  readonly daemonId: string;
  /** The peers that were in the room at joining; `peerJoined` and `peerLeft` tell of what changes. */
  peers: ReadonlyMap<string, Record<string, unknown>> = new Map();

  readonly #peer: Peer;
  readonly #producers = new Map<LocalTrack, types.Producer>();
  readonly #byProducer = new Map<string, Subscription>();
  readonly #byConsumer = new Map<string, Subscription>();
  /** Rejects when the session ends, because protoo-client leaves requests pending when its socket closes. */
  readonly #ended = Promise.withResolvers<never>();
  #device: Device | undefined;
  #send: types.Transport | undefined;
  #recv: types.Transport | undefined;
  /** Notifications that came before `start()`, in order. */
  #early: AnyNotification[] | undefined = [];
  #refusal: RoomError | undefined;
  #roomClosedTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /**
   * Connects to the assigned daemon and joins. Events begin with `start()`.
   *
   * @throws {RoomError} DAEMON_UNREACHABLE, REFUSED, UNSUPPORTED_BROWSER, ...
   */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options.assignment);
    try {
      await session.#opened();
      await session.#join(options);
    } catch (error) {
      const refusal = session.#refusal;
      session.close();
      throw refusal ?? RoomError.from(error);
    }
    return session;
  }

  private constructor(assignment: Assignment) {
    super();
    this.daemonId = assignment.daemonId;
    this.#ended.promise.catch(() => {});
    // protoo-client would connect to the same URL again, whose token is used up: the room asks for a new one instead.
    this.#peer = new Peer(new WebSocketTransport(assignment.url, { retry: { retries: 0 } }));
    this.#peer.on('notification', ({ method, data }) => this.#receive({ method, data } as AnyNotification));
    this.#peer.on('failed', () => this.#die(new RoomError('DAEMON_UNREACHABLE', 'The media server cannot be reached')));
    this.#peer.on('disconnected', () => this.#die(new RoomError('CONNECTION_LOST', 'The connection was lost')));
    // Only the close code 4000, which forbids to come back, makes protoo-client close by itself.
    this.#peer.on('close', () => this.#die(new RoomError('REFUSED', 'The media server ended the connection')));
  }

  /** Handles the notifications that came so far and from now on: call it when the listeners are in place. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const notification of early) this.#handle(notification);
    this.#schedulePing();
  }

  /** Publishes a track, as muted as it is; where it was closed meanwhile, takes it back. */
  async produce(local: LocalTrack): Promise<void> {
    if (!this.#send || !this.#device) throw new RoomError('CONNECTION_LOST', 'There is no connection');
    if (!this.#device.canProduce(local.kind)) {
      throw new RoomError('UNSUPPORTED_BROWSER', `This browser and the room have no ${local.kind} codec in common`);
    }
    const muted = local.muted;
    const producer = await Promise.race([
      this.#send.produce({
        track: local.track,
        // The room publishes the same track again after a loss, so neither it nor its mute state is mediasoup's.
        stopTracks: false,
        disableTrackOnPause: false,
        zeroRtpOnPause: true,
        ...(local.kind === 'video' ? videoOptions(local, this.#device) : {}),
        codecOptions: { opusFec: true, opusDtx: true, videoGoogleStartBitrate: 1000 },
        appData: { local },
      }),
      this.#ended.promise,
    ]);
    if (muted) producer.pause();
    this.#producers.set(local, producer);
    if (local.closed) await this.unproduce(local);
    else if (local.muted !== muted) await this.setPaused(local);
  }

  /** Brings the server in line with the track's mute state. */
  async setPaused(local: LocalTrack): Promise<void> {
    const producer = this.#producers.get(local);
    if (!producer) return;
    if (local.muted) {
      producer.pause();
      await this.#request('pauseProducer', { producerId: producer.id });
    } else {
      producer.resume();
      await this.#request('resumeProducer', { producerId: producer.id });
    }
  }

  async unproduce(local: LocalTrack): Promise<void> {
    const producer = this.#producers.get(local);
    if (!producer) return;
    this.#producers.delete(local);
    producer.close();
    await this.#request('closeProducer', { producerId: producer.id });
  }

  /** The receive transport's statistics. */
  async getStats(): Promise<RTCStatsReport[]> {
    return this.#recv ? [await this.#recv.getStats()] : [];
  }

  /** Leaves: the closing socket tells the daemon. Subscribed tracks are unsubscribed first, then transports close. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#roomClosedTimer);
    for (const subscription of [...this.#byProducer.values()]) this.#unsubscribe(subscription);
    this.#send?.close();
    this.#recv?.close();
    this.#ended.reject(new RoomError('CONNECTION_LOST', 'The connection is closed'));
    this.#peer.close();
  }

  #die(error: RoomError): void {
    if (this.#closed) return;
    const reason = this.#refusal ?? error;
    this.#ended.reject(reason);
    this.close();
    this.emit('died', reason);
  }

  async #opened(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const opened = new Promise<void>((resolve, reject) => {
      this.#peer.on('open', () => resolve());
      timer = setTimeout(
        () => reject(new RoomError('DAEMON_UNREACHABLE', 'The media server does not answer')),
        OPEN_TIMEOUT_MS,
      );
    });
    await Promise.race([opened, this.#ended.promise]).finally(() => clearTimeout(timer));
  }

  async #join({ assignment, appData }: SessionOptions): Promise<void> {
    const { roomId, peerId } = assignment;
    const answer = await this.#request('joinRoom', { roomId, peerId, appData, transports: ['send', 'recv'] });
    this.peers = new Map(answer.peers.map((peer) => [peer.peerId, peer.appData]));
    const device = await Device.factory().catch((error) => {
      throw RoomError.from(error, 'UNSUPPORTED_BROWSER');
    });
    await device.load({ routerRtpCapabilities: answer.rtpCapabilities as types.RtpCapabilities });
    if (!answer.transports?.send || !answer.transports.recv) {
      throw new RoomError('INTERNAL', 'The media server offered no transports');
    }
    if (this.#closed) throw new RoomError('CONNECTION_LOST', 'The connection was lost');
    const iceServers = (answer.iceServers.length > 0 ? answer.iceServers : assignment.iceServers) as RTCIceServer[];
    this.#device = device;
    this.#send = device.createSendTransport(toTransportOptions(answer.transports.send, iceServers));
    this.#recv = device.createRecvTransport(toTransportOptions(answer.transports.recv, iceServers));
    for (const transport of [this.#send, this.#recv]) this.#listen(transport);
    this.#send.on('produce', ({ kind, rtpParameters, appData: { local } }, done, failed) => {
      const { appData: data, muted: paused } = local as LocalTrack;
      this.#request('produce', { kind, rtpParameters, appData: data, paused }).then(
        ({ producerId }) => done({ id: producerId }),
        failed,
      );
    });
  }

  #listen(transport: types.Transport): void {
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      this.#request('connectWebRtcTransport', { transportId: transport.id, dtlsParameters }).then(done, failed);
    });
    transport.on('connectionstatechange', (state) => {
      if (state === 'failed') this.#die(new RoomError('TRANSPORT_FAILED', 'No media gets through'));
    });
  }

  #receive(notification: AnyNotification): void {
    if (notification.method === 'error') {
      const { code, reason, method } = notification.data;
      // One without a method says why the socket is about to be closed for good.
      if (method === undefined) this.#refusal = new RoomError('REFUSED', reason, { status: code });
    } else if (this.#early) {
      this.#early.push(notification);
    } else {
      this.#handle(notification);
    }
  }

  #handle(notification: AnyNotification): void {
    if (this.#closed) return;
    switch (notification.method) {
      case 'newProducer':
        void this.#subscribe(notification.data.producerId);
        break;
      case 'producerClosed':
        this.#unsubscribe(this.#byProducer.get(notification.data.producerId));
        break;
      case 'consumerClosed':
        this.#unsubscribe(this.#byConsumer.get(notification.data.consumerId));
        break;
      case 'consumerPaused':
        this.#setMuted(notification.data.consumerId, true);
        break;
      case 'consumerResumed':
        this.#setMuted(notification.data.consumerId, false);
        break;
      case 'peerJoined':
        this.emit('peerJoined', notification.data.peerId, notification.data.appData);
        break;
      case 'peerLeft':
        this.emit('peerLeft', notification.data.peerId);
        break;
      case 'reconnect':
        this.#die(new RoomError('MOVED', `The media server asks to move (${notification.data.reason})`));
        break;
      case 'transportClosed':
        this.#die(new RoomError('TRANSPORT_FAILED', 'The media server closed a transport'));
        break;
      case 'roomClosed': {
        // Whether the room is closed for good, the close code says; without one by then, it is asked for again.
        const { reason } = notification.data;
        this.#roomClosedTimer = setTimeout(() => this.#die(new RoomError('MOVED', reason)), ROOM_CLOSED_WAIT_MS);
        break;
      }
      default:
        // A newer server may say more than this SDK knows.
        break;
    }
  }

  async #subscribe(producerId: string): Promise<void> {
    if (!this.#recv || !this.#device || this.#byProducer.has(producerId)) return;
    const subscription: Subscription = { producerId, muted: false, closed: false };
    this.#byProducer.set(producerId, subscription);
    try {
      const answer = await this.#consume(producerId, this.#device.recvRtpCapabilities);
      if (subscription.closed) return;
      subscription.muted = answer.producerPaused;
      this.#byConsumer.set(answer.consumerId, subscription);
      const consumer = await this.#recv.consume({
        id: answer.consumerId,
        producerId,
        kind: answer.kind,
        rtpParameters: answer.rtpParameters as unknown as types.RtpParameters,
      });
      if (subscription.closed) {
        consumer.close();
        return;
      }
      subscription.consumer = consumer;
      const { kind, peerId, appData } = answer;
      const remote = new RemoteTrack({
        track: consumer.track,
        kind,
        peerId,
        producerId,
        appData,
        muted: subscription.muted,
        setPreferredLayers: async (layers) => {
          await this.#request('setPreferredLayers', { consumerId: answer.consumerId, ...layers });
        },
      });
      subscription.remote = remote;
      this.emit('trackSubscribed', remote);
      await this.#request('resume', { consumerId: answer.consumerId });
    } catch (error) {
      this.#unsubscribe(subscription);
      // Gone meanwhile (404) or in a codec that this browser lacks (422): the others' tracks go on.
      const { status, message } = RoomError.from(error);
      if (status !== 404 && status !== 422) this.#die(new RoomError('CONNECTION_LOST', message, { cause: error }));
    }
  }

  async #consume(producerId: string, rtpCapabilities: types.RtpCapabilities): Promise<ResponseData<'consume'>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#request('consume', { producerId, rtpCapabilities });
      } catch (error) {
        if (RoomError.from(error).status !== 429 || attempt === MOST_CONSUME_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * 500));
      }
    }
  }

  #unsubscribe(subscription: Subscription | undefined): void {
    if (!subscription || subscription.closed) return;
    subscription.closed = true;
    this.#byProducer.delete(subscription.producerId);
    if (subscription.consumer) {
      this.#byConsumer.delete(subscription.consumer.id);
      subscription.consumer.close();
    }
    if (subscription.remote) this.emit('trackUnsubscribed', subscription.remote);
  }

  #setMuted(consumerId: string, muted: boolean): void {
    const subscription = this.#byConsumer.get(consumerId);
    if (!subscription || subscription.muted === muted) return;
    subscription.muted = muted;
    if (!subscription.remote) return;
    subscription.remote.setMuted(muted);
    this.emit(muted ? 'trackMuted' : 'trackUnmuted', subscription.remote);
  }

  #schedulePing(): void {
    if (this.#closed) return;
    this.#pingTimer = setTimeout(() => {
      this.#pingTimer = setTimeout(
        () => this.#die(new RoomError('CONNECTION_LOST', 'The media server went silent')),
        PING_TIMEOUT_MS,
      );
      this.#request('ping', {}).then(
        () => {
          clearTimeout(this.#pingTimer);
          this.#schedulePing();
        },
        // An error is an answer; without one the timer above decides.
        (error) => {
          if (RoomError.from(error).status === undefined) return;
          clearTimeout(this.#pingTimer);
          this.#schedulePing();
        },
      );
    }, PING_INTERVAL_MS);
  }

  async #request<M extends Method>(method: M, data: RequestData<M>): Promise<ResponseData<M>> {
    try {
      return await Promise.race([this.#peer.request(method, data) as Promise<ResponseData<M>>, this.#ended.promise]);
    } catch (error) {
      throw protooToRoomError(error);
    }
  }
}

/** The codec, and the encodings that it can be forwarded in. */
function videoOptions({ track, codec, simulcast }: LocalTrack, device: Device): Partial<types.ProducerOptions> {
  const capability = device.sendRtpCapabilities.codecs?.find(
    ({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`,
  );
  if (!capability) throw new RoomError('UNSUPPORTED_BROWSER', `This browser does not send ${codec}`);
  const { width = 1280, height = 720 } = track.getSettings();
  return { codec: capability, ...(simulcast && { encodings: layeredEncodings(codec, Math.min(width, height)) }) };
}

function toTransportOptions(options: TransportOptions, iceServers: RTCIceServer[]): types.TransportOptions {
  // The contract leaves mediasoup's own structures open; mediasoup-client checks them.
  const { transportId, ...rest } = options;
  return { ...(rest as unknown as Omit<types.TransportOptions, 'id'>), id: transportId, iceServers };
}
