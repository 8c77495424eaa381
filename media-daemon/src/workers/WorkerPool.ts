import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { createWorker, type types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import { type BatchCounters, WorkerBatch } from './WorkerBatch.ts';
import { WorkerCpu } from './WorkerCpu.ts';
import { WorkerLoad } from './WorkerLoad.ts';

/** How long a worker that could not be started is left alone before the next try. */
const RESTART_DELAY_MS = 1000;
/** How often a worker is asked for its resource usage, which also shows that it answers. */
const USAGE_PERIOD_MS = 1000;
/** Bytes of a socket's buffers: one socket carries all peers, and a burst must fit. The kernel may give less. */
export const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** A mediasoup worker with its WebRtcServer. */
export type PooledWorker = {
  readonly worker: types.Worker;
  readonly webRtcServer: types.WebRtcServer;
  /** The port of the WebRtcServer, UDP and TCP. */
  readonly rtcPort: number;
  /** Its place in the pool, which its replacement takes over. */
  readonly slot: number;
  readonly cpu: WorkerCpu;
  readonly load: WorkerLoad;
  /** What it has sent in batches; undefined for a worker that cannot. */
  readonly batch: WorkerBatch | undefined;
  /** Checks that it still answers; called when a call to mediasoup has failed. */
  readonly check: (because: unknown) => void;
};

export type WorkerPoolOptions = {
  readonly workers: number;
  readonly rtcIp: string;
  readonly rtcAnnouncedAddress?: string | undefined;
  /** The first worker's port; 0 lets the system choose. */
  readonly rtcPort: number;
  readonly workerBin?: string | undefined;
  /** Whether workers that can send several packets in one call do. */
  readonly rtcBatch?: 'on' | 'off';
  /** Milliseconds after which a worker that does not answer is killed, and so replaced. */
  readonly workerTimeoutMs: number;
  /** Percent of a core from which on a worker is saturated. */
  readonly saturatedCpuPercent: number;
  /** Consumers from which on a worker is saturated; 0 has all of them saturated. */
  readonly saturatedConsumers: number;
  /** Called when a worker died, before its replacement is there. */
  readonly onDied?: (pid: number) => void;
  /** Called when its replacement is there. */
  readonly onReplaced?: (pid: number) => void;
};

/** The workers of a daemon. A worker that dies is replaced; rooms are given workers in turn, saturated ones last. */
export class WorkerPool {
  readonly #slots: (PooledWorker | undefined)[] = [];
  /** Workers that are being killed. */
  readonly #broken = new WeakSet<types.Worker>();
  readonly #options: WorkerPoolOptions;
  readonly #logger: Logger;
  /** Resolves when the next worker has started. */
  #started = Promise.withResolvers<void>();
  #next = 0;
  #closed = false;

  private constructor(options: WorkerPoolOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
  }

  /** @throws Error when a worker does not start: no binary, or a port in use. */
  static async create(options: WorkerPoolOptions, logger: Logger): Promise<WorkerPool> {
    const pool = new WorkerPool(options, logger);
    const started = await Promise.allSettled(Array.from({ length: options.workers }, (_, slot) => pool.#start(slot)));
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) {
      pool.close();
      throw failed.reason;
    }
    return pool;
  }

  /** The workers that run. */
  get workers(): PooledWorker[] {
    return this.#slots.filter((slot) => slot !== undefined).filter(({ worker }) => this.#isUsable(worker));
  }

  /** What the workers have sent in batches since they started, without those that send each packet on its own. */
  get batches(): BatchCounters[] {
    const counters = this.workers.map(({ batch }) => batch?.read()).filter((read) => read !== undefined);
    return counters.filter(({ state }) => state !== 'off');
  }

  /**
   * The UDP ports that routers may be linked over. A worker's own port is not among them: it must be free when the worker
   * is replaced.
   */
  get linkPorts(): types.TransportPortRange {
    const { rtcPort, workers } = this.#options;
    if (rtcPort === 0) return { min: 10_000, max: 59_999 };
    return rtcPort < 35_000 ? { min: rtcPort + workers, max: 65_535 } : { min: 10_000, max: rtcPort - 1 };
  }

  /**
   * The next worker in turn that is not saturated, or the next one when all are. When all have died, it waits for the first
   * replacement.
   *
   * @throws RequestError 503 when none starts in time.
   */
  async next(): Promise<PooledWorker> {
    const given = this.#nextAlive();
    if (given) return given;
    await Promise.race([this.#started.promise, delay(this.#options.workerTimeoutMs, undefined, { ref: false })]);
    const replaced = this.#nextAlive();
    if (replaced) return replaced;
    throw new RequestError('WORKER_UNAVAILABLE', 'no media worker is running now, try again');
  }

  #nextAlive(): PooledWorker | undefined {
    const allSaturated = this.workers.every(({ load }) => load.saturated);
    for (let tries = 0; tries < this.#slots.length; tries++) {
      const slot = this.#slots[this.#next++ % this.#slots.length];
      if (slot && this.#isUsable(slot.worker) && (allSaturated || !slot.load.saturated)) return slot;
    }
    return undefined;
  }

  /** Closes every worker and what it carries. */
  close(): void {
    this.#closed = true;
    for (const { worker } of this.workers) end(worker);
  }

  #isUsable(worker: types.Worker): boolean {
    return !worker.closed && !this.#broken.has(worker);
  }

  /** @returns undefined when the pool was closed meanwhile. */
  async #start(slot: number): Promise<types.Worker | undefined> {
    const { rtcIp, rtcAnnouncedAddress, rtcPort } = this.#options;
    const worker = await startWorker(this.#options);
    const port = rtcPort === 0 ? {} : { port: rtcPort + slot };
    const address = {
      ip: rtcIp,
      ...port,
      ...(rtcAnnouncedAddress && { announcedAddress: rtcAnnouncedAddress }),
      sendBufferSize: SOCKET_BUFFER_BYTES,
      recvBufferSize: SOCKET_BUFFER_BYTES,
    };
    try {
      const webRtcServer = await worker.createWebRtcServer({
        listenInfos: [
          { protocol: 'udp', ...address },
          { protocol: 'tcp', ...address },
        ],
      });
      const bound = (await webRtcServer.dump()).udpSockets[0]?.port ?? 0;
      if (this.#closed) {
        worker.close();
        return undefined;
      }
      const cpu = new WorkerCpu();
      const load = this.#loadOf(worker, cpu);
      const batch = WorkerBatch.find(worker.pid);
      worker.observer.once('close', () => batch?.close());
      const check = (because: unknown) => this.#check(because);
      const pooled = { worker, webRtcServer, rtcPort: bound, slot, cpu, load, batch, check };
      this.#slots[slot] = pooled;
      this.#started.resolve();
      void this.#watch(pooled);
    } catch (error) {
      worker.close();
      throw new Error(`cannot receive media on ${rtcIp}, port ${rtcPort + slot}: ${String(error)}`, { cause: error });
    }
    worker.once('died', () => void this.#replace(slot, worker));
    this.#logger.debug({ workerPid: worker.pid, slot }, 'worker started');
    return worker;
  }

  /**
   * Measures the usage of a worker, and kills it when it does not answer: mediasoup's requests have no deadline and would
   * wait forever. Its death rejects them all.
   */
  async #watch({ worker, cpu, load }: PooledWorker): Promise<void> {
    const { workerTimeoutMs } = this.#options;
    while (!worker.closed) {
      const killing = setTimeout(() => {
        this.#logger.error({ workerPid: worker.pid, workerTimeoutMs }, 'worker does not answer, killing it');
        kill(worker.pid);
      }, workerTimeoutMs).unref();
      const usage = await this.#ask(worker);
      clearTimeout(killing);
      if (usage) {
        cpu.update(usage);
        load.reevaluate();
      }
      await delay(Math.min(USAGE_PERIOD_MS, workerTimeoutMs), undefined, { ref: false });
    }
  }

  /**
   * Asks every worker at once: a pipe is on two. mediasoup serializes into one buffer for each worker, and a value that it
   * cannot write leaves that buffer open, so that every later call fails.
   */
  #check(because: unknown): void {
    for (const { worker } of this.workers) void this.#ask(worker, because);
  }

  /** Asks a worker for its usage. A worker that cannot be asked is killed, and so replaced. */
  async #ask(worker: types.Worker, because?: unknown): Promise<types.WorkerResourceUsage | undefined> {
    try {
      return await worker.getResourceUsage();
    } catch (error) {
      if (!this.#isUsable(worker)) return undefined;
      this.#logger.error({ err: error, because, workerPid: worker.pid }, 'worker cannot be asked, killing it');
      this.#broken.add(worker);
      this.#started = Promise.withResolvers();
      kill(worker.pid);
      return undefined;
    }
  }

  #loadOf(worker: types.Worker, cpu: WorkerCpu): WorkerLoad {
    const { saturatedCpuPercent, saturatedConsumers } = this.#options;
    const limits = { cpu: saturatedCpuPercent / 100, consumers: saturatedConsumers };
    const load = new WorkerLoad(worker, cpu, limits, (saturated) =>
      this.#logger.info(
        { workerPid: worker.pid, cpu: cpu.ratio, consumers: load.consumers },
        saturated ? 'worker saturated' : 'worker relieved',
      ),
    );
    return load;
  }

  async #replace(slot: number, died: types.Worker): Promise<void> {
    this.#slots[slot] = undefined;
    // Callers that wait since it was found broken keep waiting for the same promise.
    if (!this.#broken.has(died)) this.#started = Promise.withResolvers();
    this.#logger.error({ workerPid: died.pid, slot }, 'worker died');
    this.#options.onDied?.(died.pid);
    while (!this.#closed) {
      try {
        const worker = await this.#start(slot);
        if (!worker) return;
        this.#logger.info({ workers: this.workers.length, slot }, 'worker replaced');
        this.#options.onReplaced?.(worker.pid);
        return;
      } catch (error) {
        this.#logger.error({ err: error, slot }, 'worker not replaced, trying again');
        await delay(RESTART_DELAY_MS);
      }
    }
  }
}

/** mediasoup closes a worker over its channel, which may be broken. */
function end(worker: types.Worker): void {
  try {
    worker.close();
  } catch {
    kill(worker.pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has just ended by itself, and mediasoup has not noticed yet.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function startWorker({ workerBin, rtcBatch = 'on' }: WorkerPoolOptions): Promise<types.Worker> {
  // The worker reads it itself, and mediasoup gives it the environment of this process.
  process.env.MEDIA_DAEMON_RTC_BATCH = rtcBatch;
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  let worker: types.Worker;
  try {
    worker = await createWorker({ logLevel: 'warn', ...(workerBin && { workerBin }) });
  } catch (error) {
    throw new Error(
      `the mediasoup worker ${workerBin ?? process.env.MEDIASOUP_WORKER_BIN ?? "of mediasoup's package"} does not start: ${String(error)}. ` +
        'Run `make setup`, which gets or builds it, or set MEDIASOUP_WORKER_BIN to one that runs here.',
      { cause: error },
    );
  }
  // mediasoup makes each worker close itself at these signals, which would end every call before the daemon has told
  // anybody; the daemon decides when its workers end.
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.get(signal)?.includes(listener)) process.off(signal, listener);
    }
  }
  return worker;
}
