import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import type { Rooms } from '../rooms/Rooms.ts';

/** How long a room has to move before the next one is asked, ms, so that a whole daemon does not move at once. */
const PACE_MS = 2000;

/** How long the control plane has to learn of the drain before peers are asked to move, ms. */
const ANNOUNCE_MS = 2000;

export type DrainOptions = {
  /** Milliseconds after which the remaining rooms are closed. */
  readonly drainDeadlineMs: number;
  readonly logger: Logger;
  /** Reports the new state to the control plane; resolves when it has answered or does not answer. */
  readonly announce: () => Promise<void>;
  /** Called with what has yet to move. */
  readonly progressed: (left: { rooms: number; peers: number }) => void;
};

/** Moves every room of this daemon away: room by room, each whole, before a deadline. */
export class Drain {
  readonly #rooms: Rooms;
  readonly #options: DrainOptions;
  #roomClosed: () => void = () => {};
  #running: Promise<void> | undefined;
  #deadline: number | undefined;

  constructor(rooms: Rooms, options: DrainOptions) {
    this.#rooms = rooms;
    this.#options = options;
    rooms.listen((_room, { kind }) => {
      if (kind === 'roomClosed') this.#roomClosed();
    });
  }

  /** Milliseconds until the remaining rooms are closed; 0 without a drain. */
  get msLeft(): number {
    return this.#deadline === undefined ? 0 : Math.max(0, Math.round(this.#deadline - performance.now()));
  }

  /**
   * Takes no new peers, asks the peers to move, and resolves when the last has left or the deadline has passed. A second
   * call waits for the same drain.
   */
  run(deadlineMs = this.#options.drainDeadlineMs): Promise<void> {
    this.#running ??= this.#run(deadlineMs);
    return this.#running;
  }

  async #run(deadlineMs: number): Promise<void> {
    const { logger, announce } = this.#options;
    const report = (message: string, about: object = {}) => {
      const remaining = { rooms: this.#rooms.size, peers: this.#rooms.peerCount };
      logger.info({ ...about, ...remaining }, message);
      this.#options.progressed(remaining);
    };
    this.#deadline = performance.now() + deadlineMs;
    this.#rooms.drain();
    report('draining', { deadlineMs });
    // A control plane that does not know of the drain would assign the moving peers to this daemon again.
    await firstOf(announce(), Math.min(ANNOUNCE_MS, this.msLeft));
    for (const room of this.#rooms.list()) {
      // A room that nobody has joined closes: its peers would not be admitted any more.
      room.closeIfUnused();
      if (room.closed || room.isHandedOff) continue;
      room.askToMove('drain', this.msLeft);
      await this.#nextClose(Math.min(PACE_MS, this.msLeft));
      report('room asked to move', { roomId: room.id });
    }
    while (this.#rooms.size > 0 && this.msLeft > 0) await this.#nextClose(this.msLeft);
    report('drained');
    this.#rooms.close('shutdown');
  }

  /** Resolves when any room closes, or after `mostMs`. */
  #nextClose(mostMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#roomClosed = resolve;
    });
    return firstOf(closed, mostMs);
  }
}

/** Resolves with `promise`, or after a time. */
async function firstOf(promise: Promise<void>, mostMs: number): Promise<void> {
  const waiting = new AbortController();
  await Promise.race([promise, delay(mostMs, undefined, { signal: waiting.signal })]);
  waiting.abort();
}
