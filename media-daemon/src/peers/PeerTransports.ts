import type { RequestData, ResponseData, Snapshot, TransportOptions } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Room } from '../rooms/Room.ts';
import type { RoomRouter } from '../routers/RoomRouter.ts';
import { closeOn } from '../workers/closeOn.ts';
import { LimitedMap } from './LimitedMap.ts';
import type { Notify } from './Peer.ts';

type Direction = 'send' | 'recv';

/** The bit rate that a receive transport starts from, in bits a second; more makes the prober flood slow networks. */
const INITIAL_OUTGOING_BITRATE = 1_000_000;

/** A peer's transports: the one that it sends on, and the one that it receives on. */
export class PeerTransports {
  readonly #room: Room;
  readonly #router: RoomRouter;
  readonly #notify: Notify;
  readonly #transports = new LimitedMap<types.WebRtcTransport>('transport', 2, 'peerTransports');
  readonly #by = new Map<Direction, types.WebRtcTransport>();
  readonly #making = new Set<Direction>();
  readonly #connected = new Set<string>();
  #closed = false;

  constructor(room: Room, router: RoomRouter, notify: Notify) {
    this.#room = room;
    this.#router = router;
    this.#notify = notify;
  }

  /** @throws RequestError 409 when the peer has none in that direction. */
  of(direction: Direction): types.WebRtcTransport {
    const transport = this.#by.get(direction);
    if (transport) return transport;
    throw new RequestError(409, `the peer has no ${direction} transport: ask for one with createWebRtcTransport`);
  }

  /**
   * The transport that the peer sends on.
   *
   * @param transportId what the client thinks it is, where it says so.
   * @throws RequestError 404 or 409 when it is not that one.
   */
  forSending(transportId: string | undefined): types.WebRtcTransport {
    const transport = transportId === undefined ? this.of('send') : this.get(transportId);
    if (transport !== this.#by.get('send')) throw new RequestError(409, 'the transport is not the send transport');
    return transport;
  }

  /** @throws RequestError 404 */
  get(transportId: string): types.WebRtcTransport {
    return this.#transports.get(transportId);
  }

  has(direction: Direction): boolean {
    return this.#by.has(direction);
  }

  [Symbol.iterator](): MapIterator<types.WebRtcTransport> {
    return this.#by.values();
  }

  async create({ direction, forceTcp = false }: RequestData<'createWebRtcTransport'>): Promise<TransportOptions> {
    if (this.#by.has(direction) || this.#making.has(direction))
      throw new RequestError(409, `the peer has a ${direction} transport already`);
    this.#making.add(direction);
    try {
      const transport = await this.#transports.make(
        async () => {
          const made = await this.#router.createTransport({
            enableUdp: !forceTcp,
            enableTcp: true,
            preferUdp: !forceTcp,
            enableSctp: true,
            initialAvailableOutgoingBitrate: INITIAL_OUTGOING_BITRATE,
          });
          try {
            if (direction === 'send') await made.setMaxIncomingBitrate(this.#room.limits.maxPeerIncomingBitrate);
            return made;
          } catch (error) {
            made.close();
            throw error;
          }
        },
        ({ id }) => this.#gone(direction, id),
      );
      this.#by.set(direction, transport);
      return describeTransport(transport);
    } finally {
      this.#making.delete(direction);
    }
  }

  async connect({ transportId, dtlsParameters }: RequestData<'connectWebRtcTransport'>): Promise<void> {
    const transport = this.get(transportId);
    // A second `connect` would be refused by mediasoup with an error that tells the client nothing.
    if (this.#connected.has(transportId)) throw new RequestError(409, 'the transport is connected already');
    this.#connected.add(transportId);
    try {
      await transport.connect({ dtlsParameters: dtlsParameters as types.DtlsParameters });
    } catch (error) {
      this.#connected.delete(transportId);
      throw error;
    }
  }

  async restartIce({ transportId }: RequestData<'restartIce'>): Promise<ResponseData<'restartIce'>> {
    return { iceParameters: await this.get(transportId).restartIce() };
  }

  snapshot(): Snapshot['transports'] {
    return [...this.#by].map(([direction, transport]) => ({
      ...describeTransport(transport),
      direction,
      connected: this.#connected.has(transport.id),
    }));
  }

  /** Closes both, and with them everything on them. */
  close(): void {
    this.#closed = true;
    this.#transports.close();
    for (const transport of this.#transports) closeOn(this.#router.pooledWorker, transport);
  }

  #gone(direction: Direction, transportId: string): void {
    this.#by.delete(direction);
    this.#connected.delete(transportId);
    if (!this.#closed && !this.#router.closed) this.#notify('transportClosed', { transportId });
  }
}

const describeTransport = (transport: types.WebRtcTransport): TransportOptions => ({
  transportId: transport.id,
  iceParameters: transport.iceParameters,
  iceCandidates: transport.iceCandidates,
  dtlsParameters: transport.dtlsParameters,
  ...(transport.sctpParameters && { sctpParameters: transport.sctpParameters }),
});
