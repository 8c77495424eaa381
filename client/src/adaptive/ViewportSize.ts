import { watchShown } from './shownSize.ts';

/** How long less is asked for before it is believed, ms: a page that is laid out anew hides and shrinks things for moments. */
const SETTLE_MS = 500;

/** How large the elements are that show one track, together: what is worth receiving of it. */
export class ViewportSize {
  readonly #changed: () => void;
  readonly #heights = new Map<Element, { height: number | undefined; readonly stop: () => void }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #height: number | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The largest height in the screen's pixels; 0 while nothing is seen; undefined while that is not known. */
  get height(): number | undefined {
    return this.#height;
  }

  add(element: Element): void {
    this.remove(element);
    const stop = watchShown(element, ({ height }) => {
      const entry = this.#heights.get(element);
      if (!entry) return;
      entry.height = height;
      this.#reevaluate();
    });
    this.#heights.set(element, { height: undefined, stop });
    // What it is shown at is known at once; until then it may be as large as it likes.
    this.#reevaluate();
  }

  remove(element: Element): void {
    this.#heights.get(element)?.stop();
    if (this.#heights.delete(element)) this.#reevaluate();
  }

  /** Looks at nothing any more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const { stop } of this.#heights.values()) stop();
    this.#heights.clear();
  }

  #reevaluate(): void {
    clearTimeout(this.#timer);
    const next = this.#largest();
    const more = next === undefined || (this.#height !== undefined && next > this.#height);
    if (more) this.#become(next);
    else this.#timer = setTimeout(() => this.#become(this.#largest()), SETTLE_MS);
  }

  #largest(): number | undefined {
    let largest = 0;
    for (const { height } of this.#heights.values()) {
      if (height === undefined) return undefined;
      largest = Math.max(largest, height);
    }
    return largest;
  }

  #become(height: number | undefined): void {
    if (this.#height === height) return;
    this.#height = height;
    this.#changed();
  }
}
