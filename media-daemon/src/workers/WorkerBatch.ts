import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

/**
 * How a worker sends: each packet in a call of its own (`off`), what a turn of its loop has in one call (`single`), and
 * with several packets for a viewer in one message (`segmented`).
 */
export type BatchState = (typeof STATES)[number];

/** What a worker has sent since it started, as `tools/worker-build/batch/counters.h` lays it out. */
export type BatchCounters = { readonly state: BatchState } & Readonly<Record<(typeof COUNTERS)[number], number>>;

const MAGIC = 'MSBATCH1';
const DESCRIPTOR = '/memfd:mediasoup-batch';
const STATES = ['off', 'single', 'segmented'] as const;
const COUNTERS = [
  'datagrams',
  'messages',
  'refusedMessages',
  'refusedDatagrams',
  'droppedDatagrams',
  'refusedSegmentation',
] as const;
const WORD = 8;
const BYTES = MAGIC.length + WORD + COUNTERS.length * WORD;

/** The counters of a worker that was built by our recipe, which are memory that it shares. */
export class WorkerBatch {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @returns undefined for a worker without: the binary of mediasoup's authors. */
  static find(pid: number): WorkerBatch | undefined {
    const folder = `/proc/${pid}/fd`;
    try {
      for (const name of readdirSync(folder)) {
        const path = `${folder}/${name}`;
        if (linkOf(path)?.startsWith(DESCRIPTOR)) return new WorkerBatch(openSync(path, 'r'));
      }
    } catch {
      // No Linux, no right to look, or the worker has just died.
    }
    return undefined;
  }

  /** @returns undefined when it is closed, or the memory holds something else. */
  read(): BatchCounters | undefined {
    if (this.#fd === undefined) return undefined;
    const bytes = Buffer.alloc(BYTES);
    return readSync(this.#fd, bytes, 0, BYTES, 0) === BYTES ? parseCounters(bytes) : undefined;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** @returns undefined for anything but the layout of this version. */
export function parseCounters(bytes: Buffer): BatchCounters | undefined {
  if (bytes.length !== BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  // All architectures that mediasoup's worker is built for are little-endian.
  const [code, ...values] = Array.from({ length: 1 + COUNTERS.length }, (_, index) =>
    Number(bytes.readBigUInt64LE(MAGIC.length + index * WORD)),
  );
  const state = STATES[code ?? -1];
  if (!state || !values.every(Number.isSafeInteger)) return undefined;
  const counters = Object.fromEntries(COUNTERS.map((name, index) => [name, values[index]]));
  return { state, ...(counters as Record<(typeof COUNTERS)[number], number>) };
}

/** One that was closed meanwhile has none. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
