import { watchShown } from './shownSize.ts';

/** How long elements must be smaller before that counts, ms: during a new layout they may be hidden or small for moments. */
const SETTLE_MS = 500;

/** The size at which a page shows one track, so that no more of it is received. */
export class ViewportSize {
  readonly #changed: () => void;
  readonly #heights = new Map<Element, { height: number | undefined; readonly stop: () => void }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #height: number | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The height of the largest element in device pixels; 0 while none is visible; undefined until that is known. */
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
    // The observers report the size in a moment; until then the element counts as large.
    this.#reevaluate();
  }

  remove(element: Element): void {
    this.#heights.get(element)?.stop();
    if (this.#heights.delete(element)) this.#reevaluate();
  }

  /** Stops watching all elements. */
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
