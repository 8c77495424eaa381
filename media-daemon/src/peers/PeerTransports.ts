import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import { closeOn } from '../workers/closeOn.ts';
import { LimitedMap } from './LimitedMap.ts';
import type { PeerContext } from './PeerContext.ts';

export type Direction = 'send' | 'recv';

/** The bit rate that a receive transport starts from, in bits a second; more makes the prober flood slow networks. */
const INITIAL_OUTGOING_BITRATE = 1_000_000;

/** A peer's transports: the one that it sends on, and the one that it receives on. */
export class PeerTransports {
  readonly #peer: PeerContext;
  readonly #transports = new LimitedMap<types.WebRtcTransport>({
    noun: 'transport',
    limit: 2,
    limitName: 'peerTransports',
    notFound: 'TRANSPORT_NOT_FOUND',
  });
  readonly #by = new Map<Direction, types.WebRtcTransport>();
  readonly #making = new Set<Direction>();
  readonly #connected = new Set<string>();
  #closed = false;

  constructor(peer: PeerContext) {
    this.#peer = peer;
  }

  /** @throws RequestError 409 when the peer has none in that direction. */
  of(direction: Direction): types.WebRtcTransport {
    const transport = this.#by.get(direction);
    if (transport) return transport;
    throw new RequestError(
      'TRANSPORT_MISSING',
      `the peer has no ${direction} transport: ask for one with createWebRtcTransport`,
    );
  }

  /**
   * The transport that the peer sends on.
   *
   * @param transportId what the client thinks it is, where it says so.
   * @throws RequestError 404 or 409 when it is not that one.
   */
  forSending(transportId: string | undefined): types.WebRtcTransport {
    const transport = transportId === undefined ? this.of('send') : this.get(transportId);
    if (transport !== this.#by.get('send'))
      throw new RequestError('WRONG_TRANSPORT', 'the transport is not the send transport');
    return transport;
  }

  /** @throws RequestError 404 */
  get(transportId: string): types.WebRtcTransport {
    return this.#transports.get(transportId);
  }

  has(direction: Direction): boolean {
    return this.#by.has(direction);
  }

  get all(): types.WebRtcTransport[] {
    return [...this.#by.values()];
  }

  get byDirection(): ReadonlyMap<Direction, types.WebRtcTransport> {
    return this.#by;
  }

  isConnected(transportId: string): boolean {
    return this.#connected.has(transportId);
  }

  /**
   * Creates the peer's transport for a direction.
   *
   * @param forceTcp offers no UDP, for networks that block it.
   * @throws RequestError 409 when the peer has one.
   */
  async create(direction: Direction, forceTcp = false): Promise<types.WebRtcTransport> {
    if (this.#by.has(direction) || this.#making.has(direction))
      throw new RequestError('TRANSPORT_EXISTS', `the peer has a ${direction} transport already`);
    this.#making.add(direction);
    try {
      const transport = await this.#transports.make(
        async () => {
          const made = await this.#peer.router.createTransport({
            enableUdp: !forceTcp,
            enableTcp: true,
            preferUdp: !forceTcp,
            enableSctp: true,
            initialAvailableOutgoingBitrate: INITIAL_OUTGOING_BITRATE,
          });
          try {
            if (direction === 'send') await made.setMaxIncomingBitrate(this.#peer.room.limits.maxPeerIncomingBitrate);
            return made;
          } catch (error) {
            made.close();
            throw error;
          }
        },
        ({ id }) => this.#gone(direction, id),
      );
      this.#by.set(direction, transport);
      return transport;
    } finally {
      this.#making.delete(direction);
    }
  }

  /** @throws RequestError 404, or 409 when it is connected. */
  async connect(transportId: string, dtlsParameters: types.DtlsParameters): Promise<void> {
    const transport = this.get(transportId);
    // mediasoup refuses a second `connect` with an error that does not say why.
    if (this.#connected.has(transportId))
      throw new RequestError('TRANSPORT_CONNECTED', 'the transport is already connected');
    this.#connected.add(transportId);
    try {
      await transport.connect({ dtlsParameters });
    } catch (error) {
      this.#connected.delete(transportId);
      throw error;
    }
  }

  /** @throws RequestError 404 */
  restartIce(transportId: string): Promise<types.IceParameters> {
    return this.get(transportId).restartIce();
  }

  /** Closes both, and with them everything on them. */
  close(): void {
    this.#closed = true;
    this.#transports.close();
    for (const transport of this.#transports) closeOn(this.#peer.router.pooledWorker, transport);
  }

  #gone(direction: Direction, transportId: string): void {
    this.#by.delete(direction);
    this.#connected.delete(transportId);
    if (this.#closed || this.#peer.router.closed) return;
    this.#peer.emitOwn({ kind: 'transportClosed', peerId: this.#peer.id, transportId });
  }
}
