import type { Writable } from 'node:stream';

/** Bytes of lines that wait for a reader; beyond them lines are lost. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Where log lines go. A line is written at once, as long as it is read: then one that is followed by the end of the process
 * is not lost. Where nobody reads, or reads slowly, lines wait in memory, and at last are lost and counted: a log that is
 * written synchronously would hold up the process, and with it its calls and its end.
 */
export class LogOutput {
  readonly #stream: Writable;
  #lost = 0;
  #closed = false;

  /** @param onLost called when lines are read again, with how many were lost until then. */
  constructor(stream: Writable, onLost: (lines: number) => void) {
    this.#stream = stream;
    // A reader that is gone does not come back, and is no reason to end.
    stream.on('error', () => {
      this.#closed = true;
    });
    stream.on('drain', () => {
      const lost = this.#lost;
      this.#lost = 0;
      if (lost > 0) onLost(lost);
    });
  }

  write(line: string): void {
    if (this.#closed) return;
    if (this.#stream.writableLength > MAX_WAITING_BYTES) this.#lost++;
    else this.#stream.write(line);
  }
}
