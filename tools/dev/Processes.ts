import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onLine } from './onLine.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Started {
  readonly child: ChildProcess;
  /** The fields of its "ready" log line. */
  readonly ready: Readonly<Record<string, unknown>>;
}

/** The server processes of `make run`. When one exits by itself, all are stopped. */
export class Processes {
  readonly #running = new Set<ChildProcess>();
  readonly #ending = new Set<ChildProcess>();
  readonly #onStop: () => Promise<void>;
  #stopping = false;

  /** @param onStop called when all have exited, before this process exits */
  constructor(onStop: () => Promise<void>) {
    this.#onStop = onStop;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // A second signal does not wait.
        if (this.#stopping) for (const child of this.#running) child.kill('SIGKILL');
        else void this.stop(0);
      });
    }
  }

  /**
   * Starts a server and resolves when it is ready. Its warnings and errors are printed at once.
   *
   * @param environment settings; this process's environment overrides those that are not in `fixed`
   */
  start(main: string, environment: Record<string, string>, fixed: Record<string, string> = {}): Promise<Started> {
    const child = spawn(process.execPath, [main], {
      cwd: root,
      env: { ...environment, ...process.env, ...fixed },
      stdio: ['ignore', 'pipe', 'inherit'],
      // Ctrl-C reaches every process of the terminal's group, and would kill the media workers before their daemon.
      detached: true,
    });
    this.#running.add(child);
    child.once('exit', (code) => {
      this.#running.delete(child);
      if (this.#stopping || this.#ending.has(child)) return;
      process.stderr.write(`${main} ended with ${code}; stopping everything\n`);
      void this.stop(code || 1);
    });
    return new Promise((resolve) => {
      onLine(child.stdout, (line) => {
        const fields = JSON.parse(line) as Record<string, unknown>;
        // run.ts prints where the metrics are, once everything runs.
        if (fields.metricsPort !== undefined) resolve({ child, ready: fields });
        if (Number(fields.level) >= 40) process.stderr.write(`${line}\n`);
      });
    });
  }

  /** Stops one server. */
  end(child: ChildProcess, signal: NodeJS.Signals): void {
    this.#ending.add(child);
    child.kill(signal);
  }

  /** Stops all, the last started first, so that daemons can still deregister at the control plane. */
  async stop(exitCode: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const child of [...this.#running].toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      // At SIGTERM a daemon would wait for its peers to move.
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    await this.#onStop();
    process.exit(exitCode);
  }
}
