import type { TestContext } from 'node:test';
import type { Assignment } from '@mediasoup-server/proto/http';
import { RoomError } from '../errors.ts';
import type { RecoveryOptions } from '../recovery/RecoveryOptions.ts';
import type { Session } from '../session/Session.ts';
import { type ScriptedDaemon, ScriptedSession } from './ScriptedSession.ts';

/** A control plane and daemons that a test controls, with a mocked clock. */
export class ScriptedService implements RecoveryOptions, ScriptedDaemon {
  /** Every session that was opened, in order. */
  readonly sessions: ScriptedSession[] = [];
  /** The `failedDaemonId` of each assignment request. */
  readonly suspects: (string | undefined)[] = [];
  /** When each request was sent, ms. */
  readonly asked: number[] = [];
  readonly dead = new Set<string>();
  /** Whether the peer has a network. */
  online = true;
  controlPlaneUp = true;
  openMs = 20;
  /** How long a client needs after its join until its session is open. */
  setupMs = 0;
  /** The errors of the next joins, in order. */
  readonly refusals: RoomError[] = [];
  resumeFailure: RoomError | undefined;
  #members: ScriptedSession[] = [];
  #daemonId = 'daemon-a';
  #now = 0;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    t.mock.timers.enable({ apis: ['setTimeout'] });
  }

  /** The sessions that are in the room. */
  get inRoom(): readonly ScriptedSession[] {
    return this.#members;
  }

  get now(): number {
    return this.#now;
  }

  move(daemonId: string): void {
    this.#daemonId = daemonId;
    // The control plane does not assign dead daemons.
    while (this.dead.has(this.#daemonId)) this.#daemonId += '+';
  }

  /** Kills a daemon and its sessions. */
  kill(daemonId: string): void {
    this.dead.add(daemonId);
    if (this.#daemonId === daemonId) this.move(daemonId);
    this.#members = this.#members.filter((member) => member.daemonId !== daemonId);
  }

  readonly assign = async (failedDaemonId: string | undefined, signal: AbortSignal): Promise<Assignment> => {
    this.asked.push(this.#now);
    this.suspects.push(failedDaemonId);
    await this.#reach(this.controlPlaneUp, 10_000, 'CONTROL_PLANE_UNREACHABLE');
    if (signal.aborted) throw new RoomError('CONTROL_PLANE_UNREACHABLE', 'aborted');
    return { daemonId: this.#daemonId } as Assignment;
  };

  readonly open = async ({ daemonId }: Assignment): Promise<Session> => {
    await this.#reach(!this.dead.has(daemonId), 8_000, 'DAEMON_UNREACHABLE');
    await wait(this.openMs);
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    const session = new ScriptedSession(daemonId, this);
    this.sessions.push(session);
    const former = this.#members.filter((member) => member.daemonId === daemonId);
    this.#members = [...this.#members, session];
    for (const replaced of former) replaced.refuse(409);
    if (this.setupMs > 0) await wait(this.setupMs);
    if (session.isOver) throw new RoomError('REFUSED', 'The same peer joined again', { status: 409 });
    return session.session;
  };

  async resume(session: ScriptedSession): Promise<boolean> {
    this.asked.push(this.#now);
    await this.#reach(!this.dead.has(session.daemonId), 3_000, 'DAEMON_UNREACHABLE');
    if (this.resumeFailure) throw this.resumeFailure;
    if (this.#members.includes(session)) return true;
    session.isOver = true;
    return false;
  }

  leave(session: ScriptedSession): void {
    this.#members = this.#members.filter((member) => member !== session);
  }

  /** Lets time pass in steps of 10 ms, and runs the timers that are due. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.#t.mock.timers.tick(10);
      this.#now += 10;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass until a promise settles, a minute at most. */
  async until<T>(done: Promise<T>): Promise<T> {
    let settled = false;
    done.then(
      () => (settled = true),
      () => (settled = true),
    );
    for (let ms = 0; !settled && ms < 60_000; ms += 10) await this.pass(10);
    if (!settled) throw new Error('Not done within a minute of the scripted clock');
    return done;
  }

  async #reach(there: boolean, timeoutMs: number, code: 'CONTROL_PLANE_UNREACHABLE' | 'DAEMON_UNREACHABLE') {
    if (!this.online || !there) {
      // Packets are lost, so that only the timeout ends the attempt.
      await wait(timeoutMs);
      throw new RoomError(code, 'Not reached');
    }
    await wait(5);
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
