import type { Session } from '../session/Session.ts';

/** How long those who are not at the new place yet are waited for, ms. */
const LONGEST_MS = 10_000;
/** How much longer the former place is kept when everything is here, ms, so that the others have everything too. */
const LINGER_MS = 1_000;

/** The time between a peer's arrival at one place and its leaving the former: until then it hears and is heard at both. */
export class Handover {
  readonly former: Session;
  readonly #isDone: () => boolean;
  readonly #done: () => void;
  readonly #lingerMs: number;
  #timer: ReturnType<typeof setTimeout>;
  #lingers = false;
  #ended = false;

  /** @param serves whether media still flows at the former place. */
  constructor(former: Session, serves: boolean, isDone: () => boolean, done: () => void) {
    this.former = former;
    this.#isDone = isDone;
    this.#done = done;
    this.#lingerMs = serves ? LINGER_MS : 0;
    this.#timer = setTimeout(() => this.end(), LONGEST_MS);
  }

  /** Something has changed that may end it. */
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
