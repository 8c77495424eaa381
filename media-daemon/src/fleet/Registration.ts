import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { ControlPlaneError } from '@mediasoup-server/proto/ControlPlaneError';
import { DaemonState, type HeartbeatResponse, LoadSchema } from '@mediasoup-server/proto/registry';
import type { JoinRequest } from '../admission/joinRequest.ts';
import { Reservations } from '../admission/Reservations.ts';
import type { Ticket } from '../admission/Ticket.ts';
import type { CommandGrant } from '../commands/authorize.ts';
import { RequestError } from '../errors.ts';
import type { Room } from '../rooms/Room.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import { ControlPlaneTokens, NOT_VALID } from '../tokens/ControlPlaneTokens.ts';
import { ControlPlaneClient } from './ControlPlaneClient.ts';
import type { LoadMeter } from './LoadMeter.ts';
import { Reports } from './Reports.ts';
import { type Credentials, RoomRecords, type RoomRecordsOptions } from './RoomRecords.ts';

export type RegistrationOptions = RoomRecordsOptions & {
  readonly controlPlaneUrl: string;
  readonly daemonKey: string;
  readonly daemonId: string;
  readonly region: string;
  readonly zone: string;
  readonly url: string;
  readonly grpcAddress: string;
  readonly version: string;
  readonly maxPeers: number;
  readonly load: LoadMeter;
  /** A newer run of this daemon has registered, or another daemon has its id: this one must stop when its rooms have moved. */
  readonly onSuperseded: (reason: string) => void;
};

type State =
  /** Not registered yet, or the control plane has forgotten this daemon. */
  | { readonly kind: 'unregistered' }
  | { readonly kind: 'registered'; readonly secret: string }
  /** The control plane declared the previous run lost, and does not know the new one yet. */
  | { readonly kind: 'fenced' };

/** Milliseconds between tries while there is no interval from the control plane. */
const RETRY_MS = 2000;
/** The longest time between tries that the control plane may ask for, ms: its limits count minutes. */
const MAX_RETRY_MS = 60_000;

/** Milliseconds until the daemon registers again after the control plane forgot it. */
const REGISTER_SOON_MS = 100;

/**
 * The daemon's place at the control plane: registration, heartbeats, and the claims of rooms. Nothing here ever closes
 * a room because the control plane does not answer.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #rooms: Rooms;
  readonly #client: ControlPlaneClient;
  readonly #reports: Reports;
  readonly #records: RoomRecords;
  readonly #reservations = new Reservations();
  readonly #tokens = new ControlPlaneTokens(() => this.report());
  #incarnation = randomUUID();
  #state: State = { kind: 'unregistered' };
  /** The last secret, which proves to the control plane that this daemon may register again. */
  #formerSecret = '';
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #closed = false;

  constructor(rooms: Rooms, options: RegistrationOptions) {
    this.#rooms = rooms;
    this.#options = options;
    this.#client = new ControlPlaneClient(options.controlPlaneUrl, options.daemonId);
    this.#records = new RoomRecords(rooms, this.#client, options);
    this.#reports = new Reports(rooms, () => this.beat());
  }

  /** The run of the daemon: a UUID, which changes after fencing. */
  get incarnation(): string {
    return this.#incarnation;
  }

  /** Whether the control plane declared this daemon lost and has not registered it again yet. It takes no peers then. */
  get isFenced(): boolean {
    return this.#state.kind === 'fenced';
  }

  /** Sends a heartbeat now, or after the one that is in flight. */
  beat(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    if (this.#beating) {
      void this.#beating.finally(() => !this.#reports.isEmpty && !this.#closed && this.#schedule(0));
      return;
    }
    this.#beating = this.#beatOnce()
      .then((intervalMs) => this.#schedule(intervalMs))
      .finally(() => {
        this.#beating = undefined;
      });
  }

  /** Reports the current state, and resolves when the control plane has answered or has failed to. */
  async report(): Promise<void> {
    // A heartbeat in flight may carry the state of before.
    await this.#beating;
    this.beat();
    await this.#beating;
  }

  /** Removes the daemon from the directory, if the control plane answers. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#beating;
    if (this.#state.kind !== 'registered') return;
    await this.#client.deregister(this.#state.secret).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'not deregistered; the control plane notices when heartbeats stop');
    });
  }

  /**
   * Withdraws a close report, so that a room may open again; a report in flight is waited for. A close by command is
   * reported all the same, since earlier assignments to the room must not admit anybody.
   */
  async withdrawClosing(roomId: string): Promise<void> {
    const closing = this.#reports.closing(roomId);
    if (closing?.kick) await this.report();
    else if (closing) {
      await this.#beating;
      this.#reports.withdraw(roomId);
    }
  }

  /**
   * Claims a room at the control plane, unless an assignment recorded it.
   *
   * @param assigned whether its peer comes with an assignment.
   * @throws RequestError 409 when the room lives on another daemon, or 503 for a peer with an assignment, which has become
   * old; 503 when the control plane does not know this daemon, and for a peer with an assignment to a room that has closed
   * since, when it does not answer. Anybody else is served then.
   */
  async claim(room: Room, assigned: boolean): Promise<void> {
    if (assigned && room.epoch > 0) return;
    await this.withdrawClosing(room.id);
    const claim = await this.#records.claim(room, this.#credentials);
    if (claim.kind === 'elsewhere')
      throw new RequestError(
        assigned ? 'ASSIGNMENT_OUTDATED' : 'ROOM_ELSEWHERE',
        `the room is on the daemon ${claim.daemonId}: ask the control plane for an assignment`,
      );
    if (claim.kind === 'unknown') {
      // The answer of the next heartbeat says why.
      this.beat();
      throw new RequestError('FENCED', 'the control plane does not know this media daemon, which is registering again');
    }
    if (claim.kind === 'unanswered' && assigned)
      throw new RequestError(
        'ASSIGNMENT_OUTDATED',
        'the room has closed since the assignment: ask the control plane for another',
      );
  }

  /**
   * Verifies an assignment token offline, with the keys of the last answer.
   *
   * @throws RequestError 401 when it is not valid for this request, 403 for a peer that was removed, 503 before the keys are
   * known.
   */
  async verifyAssignment({ roomId, peerId }: JoinRequest, token: string): Promise<Ticket> {
    const { daemonId } = this.#options;
    const { kicks } = this.#rooms;
    const incarnation = this.#incarnation;
    const expected = { roomId, peerId, daemonId, incarnation };
    const { grants, epoch, issuedAt, expiresAt } = await this.#tokens.verifyAssignment(token, expected);
    const check = () => {
      if (this.#incarnation !== incarnation || Date.now() >= expiresAt)
        throw new RequestError('UNAUTHORIZED', NOT_VALID);
      // Checked after the token, so that only its bearer learns that the peer was removed.
      kicks.checkBan(roomId, peerId);
      if (kicks.isVoid(epoch, roomId, peerId)) throw new RequestError('UNAUTHORIZED', NOT_VALID);
    };
    check();
    this.#reservations.use(roomId, peerId, issuedAt);
    return { grants, check };
  }

  /**
   * Verifies offline that a token assigns some peer to a room here.
   *
   * @throws RequestError 401, 503 before the keys are known.
   */
  async checkRoomToken(roomId: string, token: string): Promise<void> {
    const { daemonId } = this.#options;
    await this.#tokens.verifyAssignment(token, { roomId, daemonId, incarnation: this.#incarnation });
  }

  /**
   * Verifies a token for gRPC commands offline.
   *
   * @throws RequestError 401, 503 before the keys are known.
   */
  checkCommandToken(token: string): Promise<CommandGrant> {
    return this.#tokens.verifyCommand(token);
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.beat(), delayMs);
  }

  /** Registers or sends a heartbeat. Resolves to the milliseconds until the next. */
  async #beatOnce(): Promise<number> {
    const { metrics, logger } = this.#options;
    try {
      const state = this.#state;
      const intervalMs = state.kind === 'registered' ? await this.#heartbeat(state.secret) : await this.#register();
      metrics.heartbeats.inc({ outcome: 'ok' });
      if (this.#credentials) await this.#records.reconcile(this.#credentials);
      return intervalMs;
    } catch (error) {
      metrics.heartbeats.inc({ outcome: 'failed' });
      if (error instanceof ControlPlaneError && error.code === 'DAEMON_ID_TAKEN') {
        return this.#giveUp(`the control plane refuses the daemon id ${this.#options.daemonId}: ${error.message}`);
      }
      // Registers again when the control plane has forgotten this daemon, or its table was emptied.
      const forgotten =
        error instanceof ControlPlaneError && (error.status === 401 || error.code === 'DAEMON_NOT_REGISTERED');
      const wasRegistered = this.#state.kind === 'registered';
      if (forgotten && wasRegistered) this.#state = { kind: 'unregistered' };
      logger.warn({ err: error }, 'heartbeat failed');
      if (forgotten && wasRegistered) return REGISTER_SOON_MS;
      const askedMs = error instanceof ControlPlaneError ? error.retryAfterMs : 0;
      return Math.min(Math.max(RETRY_MS, askedMs), MAX_RETRY_MS);
    }
  }

  async #register(): Promise<number> {
    const { daemonKey, region, zone, url, grpcAddress, version, logger } = this.#options;
    const answer = await this.#client.register(daemonKey, {
      incarnation: this.#incarnation,
      region,
      zone,
      url,
      grpcAddress,
      version,
      formerSecret: this.#formerSecret,
    });
    this.#formerSecret = answer.secret;
    this.#state = { kind: 'registered', secret: answer.secret };
    this.#reservations.reset();
    this.#records.forget();
    this.#tokens.learn(answer.jwksJson);
    logger.info({ incarnation: this.#incarnation }, 'registered at the control plane');
    // The first heartbeat carries the headroom, without which no peer is assigned.
    return this.#heartbeat(answer.secret);
  }

  async #heartbeat(secret: string): Promise<number> {
    const { maxPeers, load } = this.#options;
    const { report, acknowledge } = this.#reports.take();
    const answer = await this.#client.heartbeat(secret, {
      incarnation: this.#incarnation,
      state: this.#rooms.draining ? DaemonState.DRAINING : DaemonState.READY,
      load: create(LoadSchema, load.read()),
      headroom: Math.max(0, maxPeers - this.#rooms.peerCount - this.#reservations.outstanding(Date.now())),
      assigned: BigInt(this.#reservations.assigned),
      ...report,
    });
    const hasMore = acknowledge(answer);
    this.#reservations.update(Number(answer.assigned), Date.now());
    if (answer.jwksJson) this.#tokens.learn(answer.jwksJson);
    if (answer.superseded) return this.#giveUp('a newer run of this daemon has registered');
    if (answer.fenced) return this.#startAnew();
    return hasMore ? 0 : intervalOf(answer);
  }

  /** The control plane declared this run lost, so other daemons may serve its rooms: it hands them off and registers again. */
  #startAnew(): number {
    const { logger, metrics } = this.#options;
    metrics.fenced.inc();
    logger.warn({ incarnation: this.#incarnation }, 'fenced: handing off all rooms and registering again');
    this.#incarnation = randomUUID();
    this.#state = { kind: 'fenced' };
    this.#rooms.handOffAll('fenced');
    this.#reports.forget();
    return 0;
  }

  /** Another run has this daemon's id and may serve its rooms: it hands them off and stops. */
  #giveUp(reason: string): number {
    this.#closed = true;
    this.#state = { kind: 'unregistered' };
    this.#rooms.drain();
    this.#rooms.handOffAll('fenced');
    this.#options.onSuperseded(reason);
    return 0;
  }

  get #credentials(): Credentials | undefined {
    const state = this.#state;
    return state.kind === 'registered' ? { secret: state.secret, incarnation: this.#incarnation } : undefined;
  }
}

const intervalOf = (answer: HeartbeatResponse): number =>
  answer.heartbeatInterval ? durationMs(answer.heartbeatInterval) : RETRY_MS;
