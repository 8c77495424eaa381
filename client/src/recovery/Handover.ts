import type { Session } from '../session/Session.ts';

/** How long to wait for peers that have not moved yet, ms. */
const LONGEST_MS = 10_000;
/** How long the former session stays after this peer receives everything, ms, so that the others do too. */
const LINGER_MS = 1_000;

/** The time in which a peer has its new session and the former one, and sends and receives over both. */
export class Handover {
  readonly former: Session;
  readonly #isDone: () => boolean;
  readonly #done: () => void;
  readonly #lingerMs: number;
  #timer: ReturnType<typeof setTimeout>;
  #lingers = false;
  #ended = false;

  /** @param serves whether media still flows over the former session. */
  constructor(former: Session, serves: boolean, isDone: () => boolean, done: () => void) {
    this.former = former;
    this.#isDone = isDone;
    this.#done = done;
    this.#lingerMs = serves ? LINGER_MS : 0;
    this.#timer = setTimeout(() => this.end(), LONGEST_MS);
  }

  /** A peer or a track has changed, which may end the handover. */
  reevaluate(): void {
    if (this.#lingers || this.#ended || !this.#isDone()) return;
    this.#lingers = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), this.#lingerMs);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#done();
  }
}
