import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { openChannel } from '@mediasoup-server/backend-client/channel';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import type { Processes, Started } from './Processes.ts';
import { SocketRelay } from './SocketRelay.ts';

interface Member extends Started {
  readonly relay: SocketRelay | undefined;
}

/** The system chooses the ports of every daemon but the first. */
const anyPorts = {
  MEDIA_DAEMON_LISTEN_PORT: '0',
  MEDIA_DAEMON_GRPC_PORT: '0',
  MEDIA_DAEMON_METRICS_PORT: '0',
  MEDIA_DAEMON_RTC_PORT: '0',
};

/** The media daemons of `make run`: one, until the demo page causes a failure. */
export class Fleet {
  readonly #processes: Processes;
  readonly #environment: Record<string, string>;
  readonly #members = new Map<string, Member>();
  readonly #breakable: boolean;
  #started = 0;

  /**
   * @param environment the settings of every daemon
   * @param breakable whether peers connect through relays on loopback, which can drop their sockets
   */
  constructor(processes: Processes, environment: Record<string, string>, breakable: boolean) {
    this.#processes = processes;
    this.#environment = environment;
    this.#breakable = breakable;
  }

  /** Starts another daemon. Resolves when it has registered, since no peer can join before. */
  async start(): Promise<Started> {
    const count = ++this.#started;
    const daemonId = `${process.env.MEDIA_DAEMON_DAEMON_ID || hostname()}${count === 1 ? '' : `-${count}`}`;
    const port = count === 1 ? Number(process.env.MEDIA_DAEMON_LISTEN_PORT || 4443) : 0;
    const relay = this.#breakable ? await SocketRelay.listen(port) : undefined;
    const started = await this.#processes.start('media-daemon/src/main.ts', this.#environment, {
      MEDIA_DAEMON_DAEMON_ID: daemonId,
      ...(count > 1 && anyPorts),
      ...(relay && { MEDIA_DAEMON_LISTEN_PORT: '0', MEDIA_DAEMON_PUBLIC_URL: `ws://127.0.0.1:${relay.port}` }),
    });
    if (relay) relay.to = Number(started.ready.listenPort);
    this.#members.set(daemonId, { ...started, relay });
    started.child.once('exit', () => {
      this.#members.delete(daemonId);
      relay?.close();
    });
    const metrics = `http://${process.env.MEDIA_DAEMON_METRICS_IP || '127.0.0.1'}:${started.ready.metricsPort}/metrics`;
    while (!(await (await fetch(metrics)).text()).includes('heartbeats_total{outcome="ok"}')) await delay(20);
    return started;
  }

  has(daemonId: string): boolean {
    return this.#members.has(daemonId);
  }

  /** Drops a peer's WebSocket. */
  cutSocket(daemonId: string, peerId: string): void {
    this.#members.get(daemonId)?.relay?.cut(peerId);
  }

  /** Kills every media worker of a daemon. */
  async killWorkers(daemonId: string): Promise<void> {
    const member = this.#members.get(daemonId);
    if (!member) return;
    const channel = openChannel(`127.0.0.1:${member.ready.grpcPort}`);
    try {
      const { workers } = await serviceCalls(MediaDaemon, channel).getInfo({});
      for (const { pid } of workers) process.kill(pid, 'SIGKILL');
    } finally {
      channel.close();
    }
  }

  /** Stops a daemon, after starting another one for its rooms. */
  async end(daemonId: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const member = this.#members.get(daemonId);
    if (!member) return;
    // The next daemon that is stopped needs another one as well.
    this.#members.delete(daemonId);
    if (this.#members.size === 0) await this.start();
    this.#processes.end(member.child, signal);
  }
}
