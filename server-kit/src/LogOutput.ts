import type { Writable } from 'node:stream';

/** The most bytes that wait for a slow reader; further lines are dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Writes log lines to a stream. A line is written at once while somebody reads, so the last line before an exit is not lost.
 * With a slow reader lines wait in memory, then are dropped and counted: synchronous writes would block the process and its
 * calls.
 */
export class LogOutput {
  readonly #stream: Writable;
  #lost = 0;
  #closed = false;

  /** @param onLost called when lines are read again, with how many were lost until then. */
  constructor(stream: Writable, onLost: (lines: number) => void) {
    this.#stream = stream;
    // A closed pipe is not a reason to exit.
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
