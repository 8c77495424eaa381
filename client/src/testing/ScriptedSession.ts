import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { randomId } from '../randomId.ts';
import { type ProducerInfo, Roster } from '../session/Roster.ts';
import type { Session } from '../session/Session.ts';
import type { SessionEvents } from '../session/SessionEvents.ts';
import { Subscription } from '../session/Subscription.ts';

/** The daemon's side of a session. */
export interface ScriptedDaemon {
  resume(session: ScriptedSession): Promise<boolean>;
  leave(session: ScriptedSession): void;
}

/** A peer's session at a scripted daemon. The test emits its events. */
export class ScriptedSession extends TypedEmitter<SessionEvents> {
  readonly daemonId: string;
  readonly transports = { flowing: true };
  readonly roster = new Roster([]);
  readonly consumers = new ScriptedConsumers();
  readonly #daemon: ScriptedDaemon | undefined;
  isOver = false;

  constructor(daemonId: string, daemon?: ScriptedDaemon) {
    super();
    this.daemonId = daemonId;
    this.#daemon = daemon;
  }

  /** This object as the type that the SDK's classes take. */
  get session(): Session {
    return this as unknown as Session;
  }

  resume(): Promise<boolean> {
    return this.#daemon?.resume(this) ?? Promise.resolve(true);
  }

  check(): void {}

  disconnect(): void {
    this.isOver = true;
    this.#daemon?.leave(this);
  }

  close(): void {
    this.removeAllListeners();
    this.disconnect();
  }

  loseSocket(silent = false): void {
    if (this.isOver) return;
    const error = new RoomError('CONNECTION_LOST', 'The connection was lost');
    this.emit('failed', { kind: 'socketLost', silent, error });
  }

  loseMedia(): void {
    if (this.isOver) return;
    this.transports.flowing = false;
    this.emit('failed', { kind: 'mediaLost', error: new RoomError('TRANSPORT_FAILED', 'No media gets through') });
  }

  /** The daemon drains. */
  requestMove(): void {
    if (this.isOver) return;
    this.emit('failed', { kind: 'moveRequested', error: new RoomError('MOVED', 'The media server asks to move') });
  }

  refuse(status = 403): void {
    if (this.isOver) return;
    this.disconnect();
    this.emit('failed', { kind: 'refused', error: new RoomError('REFUSED', 'The peer was removed', { status }) });
  }

  announce(producerId: string, info: Partial<ProducerInfo> = {}): void {
    this.roster.addProducer({ producerId, peerId: 'alice', kind: 'audio', appData: {}, paused: false, ...info });
  }

  withdraw(producerId: string): void {
    this.roster.removeProducer(producerId);
  }
}

/** The consumers of a scripted session. */
class ScriptedConsumers {
  /** The errors that `consume` of a producer fails with. */
  readonly failures = new Map<string, RoomError>();
  /** Promises that `consume` of a producer waits for. */
  readonly delays = new Map<string, Promise<void>>();
  readonly #open = new Map<string, Subscription>();

  /** The ids of the producers that have an open consumer. */
  get received(): string[] {
    return [...this.#open.values()].map(({ producerId }) => producerId);
  }

  async subscribe(producerId: string): Promise<Subscription> {
    await this.delays.get(producerId);
    const failure = this.failures.get(producerId);
    if (failure) throw failure;
    const id = randomId();
    const consumer = { id, producerId, track: { kind: 'audio' }, rtpParameters: { encodings: [] }, close: () => {} };
    const subscription = new Subscription(consumer as unknown as types.Consumer, {
      muted: false,
      request: () => Promise.resolve({} as never),
      changed: () => {},
    });
    this.#open.set(id, subscription);
    return subscription;
  }

  find(id: string): Subscription | undefined {
    return this.#open.get(id);
  }

  unsubscribe(subscription: Subscription): void {
    if (!this.#open.delete(subscription.id)) return;
    subscription.close();
  }
}
