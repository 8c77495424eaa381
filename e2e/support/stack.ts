import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Metadata } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { type ChannelTls, openChannel } from '@mediasoup-server/backend-client/channel';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import type { Assignment } from '@mediasoup-server/proto/http';
import { onLine } from '../../tools/dev/onLine.ts';
import { waitForValue, waitUntil } from './waitUntil.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const DAEMON = 'media-daemon/src/main.ts';
/** Ports that the system chooses. */
const anyPorts = {
  MEDIA_DAEMON_LISTEN_PORT: '0',
  MEDIA_DAEMON_GRPC_PORT: '0',
  MEDIA_DAEMON_METRICS_PORT: '0',
  MEDIA_DAEMON_RTC_PORT: '0',
};
/** The key of daemons that tests start or imitate. */
export const daemonKey = 'a key of the tests alone';
/** Statuses after which a client asks for an assignment again: too many requests, and no daemon that can take it now. */
const ASK_AGAIN: readonly number[] = [429, 503];
const children = new Set<ChildProcess>();
// Ends all started processes when the test runner itself is ended.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A running process of ours, with the fields of the log line that says it is ready. */
export type Running = {
  readonly process: ChildProcess;
  readonly ready: Record<string, string | number>;
  /** The lines of its log until now. */
  readonly log: readonly string[];
  /** What it wrote to standard error until now. */
  readonly errors: readonly string[];
};

/** A daemon that runs. */
export type Daemon = Running & {
  readonly url: string;
  /** Kills those mediasoup workers of the daemon that have rooms with SIGKILL. */
  killWorkers(also?: 'idle ones'): Promise<void>;
  /** Stops the daemon and its workers, as if the host had vanished. Returns a function that continues them. */
  freeze(): Promise<() => void>;
};

/** A control plane with a store, and daemons, each a process on free ports. */
export class Stack {
  readonly #t: Ending;
  readonly #environment: Record<string, string>;
  #controlPlane: Running | undefined;
  controlPlaneUrl = '';

  private constructor(t: Ending, environment: Record<string, string>) {
    this.#t = t;
    this.#environment = environment;
  }

  /**
   * @param environment settings of its control planes.
   * @param tables creates the tables first, for a store that is not the embedded one.
   */
  static async start(t: Ending, environment: Record<string, string> = {}, tables?: 'tables'): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'mediasoup-server-'));
    const stack = new Stack(t, { CONTROL_PLANE_DATA_DIR: folder, ...environment });
    if (tables) await stack.createTables();
    stack.#controlPlane = await stack.startControlPlane();
    stack.controlPlaneUrl = String(stack.#controlPlane.ready.url);
    t.after(() => rm(folder, { recursive: true, force: true }));
    return stack;
  }

  /** The first control plane. */
  get controlPlane(): ChildProcess {
    return this.running.process;
  }

  /** The fields of its log line that says that it is ready. */
  get ready(): Running['ready'] {
    return this.running.ready;
  }

  get running(): Running {
    if (!this.#controlPlane) throw new Error('the control plane was not started');
    return this.#controlPlane;
  }

  /** Starts the first control plane again, on the same port, after it has ended. */
  async restartControlPlane(environment: Record<string, string> = {}): Promise<void> {
    this.#controlPlane = await this.startControlPlane({
      CONTROL_PLANE_LISTEN_PORT: new URL(this.controlPlaneUrl).port,
      ...environment,
    });
  }

  async createTables(): Promise<void> {
    const child = spawn(process.execPath, ['control-plane/src/main.ts', 'tables'], {
      cwd: root,
      env: { ...process.env, CONTROL_PLANE_DAEMON_KEY: daemonKey, ...this.#environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.add(child);
    const [code] = await once(child, 'exit');
    children.delete(child);
    if (code !== 0) throw new Error(`the command "tables" ended with ${code}`);
  }

  /** Starts another control plane, which needs a shared store. */
  startControlPlane(environment: Record<string, string> = {}): Promise<Running> {
    return run(this.#t, 'control-plane/src/main.ts', {
      CONTROL_PLANE_LISTEN_PORT: '0',
      CONTROL_PLANE_METRICS_PORT: '0',
      CONTROL_PLANE_DAEMON_KEY: daemonKey,
      CONTROL_PLANE_STATIC_DIR: join(root, 'client/dist/demo'),
      ...this.#environment,
      ...environment,
    });
  }

  /** Starts a daemon and waits until the control plane has its heartbeat. */
  async startDaemon(daemonId: string, environment: Record<string, string> = {}): Promise<Daemon> {
    const running = await run(this.#t, DAEMON, {
      MEDIA_DAEMON_DAEMON_ID: daemonId,
      ...anyPorts,
      MEDIA_DAEMON_CONTROL_PLANE_URL: this.controlPlaneUrl,
      MEDIA_DAEMON_DAEMON_KEY: daemonKey,
      ...environment,
    });
    const metrics = `http://127.0.0.1:${running.ready.metricsPort}/metrics`;
    await waitUntil(`${daemonId} has sent a heartbeat`, async () =>
      /heartbeats_total\{outcome="ok"\} [1-9]/.test(await (await fetch(metrics)).text()),
    );
    const workersNow = async () => {
      const client = openChannel(`127.0.0.1:${running.ready.grpcPort}`);
      const { workers } = await serviceCalls(MediaDaemon, client).getInfo({});
      client.close();
      return workers;
    };
    return {
      ...running,
      url: String(running.ready.url),
      freeze: async () => {
        const workers = await workersNow();
        running.process.kill('SIGSTOP');
        for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
        return () => {
          for (const { pid } of workers) process.kill(pid, 'SIGCONT');
          running.process.kill('SIGCONT');
        };
      },
      killWorkers: async (also) => {
        for (const { pid, rooms } of await workersNow())
          if (rooms > 0 || also === 'idle ones') process.kill(pid, 'SIGKILL');
      },
    };
  }

  /** Starts several daemons at once. */
  async startDaemons(ids: readonly string[], environment: Record<string, string> = {}): Promise<Map<string, Daemon>> {
    return new Map(await Promise.all(ids.map(async (id) => [id, await this.startDaemon(id, environment)] as const)));
  }

  /** The settings of a gRPC call with a new command token. */
  async commandSettings(accessToken: string, asked: { roomId?: string; scopes?: string[] } = {}) {
    const answer = await fetch(`${this.controlPlaneUrl}/command-tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
      body: JSON.stringify(asked),
    });
    if (answer.status !== 201) throw new Error(`command token: ${answer.status} ${await answer.text()}`);
    return bearing(((await answer.json()) as { token: string }).token);
  }

  /**
   * Assigns a peer as a client does: asks again while the control plane is too busy or has no daemon for it, since on a busy
   * machine a healthy daemon may be suspected for a moment.
   */
  async assign(
    roomId: string,
    peerId: string,
    through = this.controlPlaneUrl,
    accessToken?: string,
  ): Promise<Assignment> {
    let refused: string | undefined;
    return waitForValue(
      `"${peerId}" is assigned to a daemon`,
      async () => {
        const answer = await this.askForAssignment(roomId, peerId, through, accessToken);
        if (answer.ok) return answer.json() as Promise<Assignment>;
        refused = `assignment: ${answer.status} ${await answer.text()}`;
        if (ASK_AGAIN.includes(answer.status)) return undefined;
        throw new Error(refused);
      },
      () => refused,
    );
  }

  /** Asks for an assignment once, for tests of how that is answered. */
  askForAssignment(
    roomId: string,
    peerId: string,
    through = this.controlPlaneUrl,
    accessToken?: string,
  ): Promise<Response> {
    return fetch(`${through}/rooms/${encodeURIComponent(roomId)}/assignments`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
      },
      body: JSON.stringify({ peerId }),
    });
  }
}

/** The commands of a daemon, over a channel that is closed after the test. */
export function commandsOf(t: Ending, daemon: Running, tls?: ChannelTls) {
  const client = openChannel(`127.0.0.1:${daemon.ready.grpcPort}`, tls);
  t.after(async () => client.close());
  return serviceCalls(MediaDaemon, client);
}

/** The metadata that carries a command token. */
export function bearing(token: string): { metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return { metadata };
}

/** What a daemon exports for Prometheus. */
export const metricsOf = async ({ ready }: Running): Promise<string> =>
  (await fetch(`http://127.0.0.1:${ready.metricsPort}/metrics`)).text();

/** Ends a server or a browser: after a test, or with `after` of `node:test` after all tests of a file. */
export type Ending = { after(end: () => Promise<void>): void; readonly passed?: boolean };

/**
 * Ends after all tests of a file what is started for it, also within a test: there `after` of `node:test` would end it with
 * that test. Called outside of tests.
 */
export function endOfFile(): Ending {
  const ends: (() => Promise<void>)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });
  return { after: (end) => void ends.push(end) };
}

/** Runs a media daemon without a control plane. */
export const runDaemon = (t: Ending, environment: Record<string, string> = {}): Promise<Running> =>
  run(t, DAEMON, { ...anyPorts, ...environment });

/** Runs a server as a process until the test ends, and waits until it is ready. Prints its log when the test fails. */
async function run(t: Ending, main: string, environment: Record<string, string>): Promise<Running> {
  const child = spawn(process.execPath, [main], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const log: string[] = [];
  t.after(async () => {
    if (t.passed === false) process.stderr.write(`${log.join('\n')}\n`);
    // A stopped process gets no other signal.
    child.kill('SIGCONT');
    child.kill('SIGINT');
    await exited;
    children.delete(child);
  });
  return new Promise((resolve, reject) => {
    const errors: string[] = [];
    child.stderr.on('data', (data: Buffer) => {
      errors.push(data.toString());
      process.stderr.write(data);
    });
    onLine(child.stdout, (line) => {
      log.push(line);
      const ready = JSON.parse(line);
      // The line with the port of the metrics is logged once everything runs.
      if (ready.metricsPort !== undefined) resolve({ process: child, ready, log, errors });
    });
    child.once('exit', (code) => reject(new Error(`${main} ended with ${code}:\n${log.join('\n')}`)));
  });
}
