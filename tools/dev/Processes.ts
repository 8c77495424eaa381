import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Started {
  readonly child: ChildProcess;
  /** The fields of the log line that says that it is ready. */
  readonly ready: Readonly<Record<string, unknown>>;
}

/** The servers that run here. When one ends that was not asked to, so does everything. */
export class Processes {
  readonly #running = new Set<ChildProcess>();
  readonly #ending = new Set<ChildProcess>();
  readonly #onStop: () => Promise<void>;
  #stopping = false;

  /** @param onStop called when all have ended, before this process does */
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
   * Starts a server and resolves when it is ready; its warnings and errors are shown as they come.
   *
   * @param environment settings, over which those of this process's environment go unless they are in `fixed`
   */
  start(main: string, environment: Record<string, string>, fixed: Record<string, string> = {}): Promise<Started> {
    const child = spawn(process.execPath, [main], {
      cwd: root,
      env: { ...environment, ...process.env, ...fixed },
      stdio: ['ignore', 'pipe', 'inherit'],
      // A Ctrl-C at the terminal goes to all processes of its group, and would end the media workers before their daemon.
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
      createInterface(child.stdout).on('line', (line) => {
        const fields = JSON.parse(line) as Record<string, unknown>;
        // The one line that says where the metrics are is written when everything runs.
        if (fields.metricsPort !== undefined) resolve({ child, ready: fields });
        if (Number(fields.level) >= 40) process.stderr.write(`${line}\n`);
      });
    });
  }

  /** Ends one server alone. */
  end(child: ChildProcess, signal: NodeJS.Signals): void {
    this.#ending.add(child);
    child.kill(signal);
  }

  /** Ends everything, the last started first: so a daemon can still take its leave of the control plane. */
  async stop(exitCode: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const child of [...this.#running].toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      // Not SIGTERM, at which a daemon waits for its calls to move away.
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    await this.#onStop();
    process.exit(exitCode);
  }
}
