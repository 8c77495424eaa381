/** A wait that an event may end before its time is over. */
export class Wakeup {
  #wake: () => void = () => {};

  /** Ends the present wait, if there is one. */
  wake(): void {
    this.#wake();
  }

  /** Waits so long, or without `ms` for as long as it takes, until `wake` is called. */
  async wait(ms?: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      if (ms !== undefined) timer = setTimeout(resolve, ms);
      this.#wake = resolve;
    });
    clearTimeout(timer);
  }
}
