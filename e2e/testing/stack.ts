import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { unaryCalls } from '@mediasoup-server/proto/grpc';

const root = fileURLToPath(new URL('../..', import.meta.url));
const DAEMON = 'media-daemon/src/main.ts';
/** Ports that the system chooses. */
const anyPorts = {
  MEDIA_DAEMON_LISTEN_PORT: '0',
  MEDIA_DAEMON_GRPC_PORT: '0',
  MEDIA_DAEMON_METRICS_PORT: '0',
  MEDIA_DAEMON_RTC_PORT: '0',
};
const daemonKey = 'a key of the tests alone';
const children = new Set<ChildProcess>();
// Also when the test runner itself is ended, nothing that it started stays.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process of ours that runs, with the fields of the log line that says so. */
export type Running = { readonly process: ChildProcess; readonly ready: Record<string, string | number> };

/** A daemon that runs. */
export type Daemon = Running & {
  readonly url: string;
  /** Kills every mediasoup worker of the daemon with SIGKILL. */
  killWorkers(): Promise<void>;
};

/** A control plane with its embedded store, and daemons, each a process of its own on ports that the system chose. */
export class Stack {
  readonly #t: TestContext;
  #controlPlane: ChildProcess | undefined;
  controlPlaneUrl = '';

  private constructor(t: TestContext) {
    this.#t = t;
  }

  static async start(t: TestContext): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'mediasoup-server-'));
    const stack = new Stack(t);
    const { ready, process: controlPlane } = await run(t, 'control-plane/src/main.ts', {
      CONTROL_PLANE_LISTEN_PORT: '0',
      CONTROL_PLANE_METRICS_PORT: '0',
      CONTROL_PLANE_DATA_DIR: folder,
      CONTROL_PLANE_DAEMON_KEY: daemonKey,
      CONTROL_PLANE_STATIC_DIR: join(root, 'client/dist/demo'),
    });
    stack.controlPlaneUrl = String(ready.url);
    stack.#controlPlane = controlPlane;
    t.after(() => rm(folder, { recursive: true, force: true }));
    return stack;
  }

  /** Its process. */
  get controlPlane(): ChildProcess {
    if (!this.#controlPlane) throw new Error('the control plane was not started');
    return this.#controlPlane;
  }

  /** Starts a daemon and waits until the control plane has it. */
  async startDaemon(daemonId: string, environment: Record<string, string> = {}): Promise<Daemon> {
    const running = await run(this.#t, DAEMON, {
      MEDIA_DAEMON_DAEMON_ID: daemonId,
      ...anyPorts,
      MEDIA_DAEMON_CONTROL_PLANE_URL: this.controlPlaneUrl,
      MEDIA_DAEMON_DAEMON_KEY: daemonKey,
      ...environment,
    });
    const metrics = `http://127.0.0.1:${running.ready.metricsPort}/metrics`;
    while (!/heartbeats_total\{outcome="ok"\} [1-9]/.test(await (await fetch(metrics)).text())) await nextTick();
    return {
      ...running,
      url: String(running.ready.url),
      killWorkers: async () => {
        const client = new Client(`127.0.0.1:${running.ready.grpcPort}`, credentials.createInsecure());
        const { workers } = await unaryCalls(MediaDaemon, client).getInfo({});
        client.close();
        for (const { pid } of workers) process.kill(pid, 'SIGKILL');
      },
    };
  }

  async assign(roomId: string, peerId: string): Promise<{ url: string; daemonId: string; epoch: number }> {
    const answer = await fetch(`${this.controlPlaneUrl}/rooms/${encodeURIComponent(roomId)}/assignments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ peerId }),
    });
    if (!answer.ok) throw new Error(`assignment: ${answer.status} ${await answer.text()}`);
    return answer.json() as never;
  }
}

/** Runs a media daemon without a control plane. */
export const runDaemon = (t: TestContext, environment: Record<string, string> = {}): Promise<Running> =>
  run(t, DAEMON, { ...anyPorts, ...environment });

/** Runs a server as a process of its own until the test ends, and waits until it is ready. */
async function run(t: TestContext, main: string, environment: Record<string, string>): Promise<Running> {
  const child = spawn(process.execPath, [main], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGINT');
    await exited;
    children.delete(child);
  });
  return new Promise((resolve, reject) => {
    const log: string[] = [];
    createInterface(child.stdout).on('line', (line) => {
      log.push(line);
      const ready = JSON.parse(line);
      // The one line that says where the metrics are is written when everything runs.
      if (ready.metricsPort !== undefined) resolve({ process: child, ready });
    });
    child.once('exit', (code) => reject(new Error(`${main} ended with ${code}:\n${log.join('\n')}`)));
  });
}

/** Lets the event loop turn between two looks at a condition. */
export const nextTick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
