import type { Logger } from '@mediasoup-server/server-kit/logger';
import { type Daemon, loadOf } from './Daemon.ts';

/** How often each daemon's load is logged, ms: CloudWatch makes one figure of a minute's. */
const PERIOD_MS = 20_000;
/** Beyond this number of daemons the log forgets all of them, and logs each once too often. */
const MAX_REMEMBERED = 10_000;

/**
 * Logs the load of daemons in CloudWatch's embedded metric format. CloudWatch makes the metric `DaemonLoad` of it, by region,
 * in per cent of a daemon's capacity. A fleet is scaled by its mean, so draining daemons are left out.
 */
export class LoadLog {
  readonly #namespace: string;
  readonly #logger: Logger;
  readonly #loggedAt = new Map<string, number>();

  constructor(namespace: string, logger: Logger) {
    this.#namespace = namespace;
    this.#logger = logger;
  }

  report(daemon: Pick<Daemon, 'daemonId' | 'region' | 'state' | 'load' | 'headroom'>): void {
    const now = Date.now();
    if (daemon.state !== 'ready' || now - (this.#loggedAt.get(daemon.daemonId) ?? 0) < PERIOD_MS) return;
    if (this.#loggedAt.size >= MAX_REMEMBERED) this.#loggedAt.clear();
    this.#loggedAt.set(daemon.daemonId, now);
    const { daemonId, region } = daemon;
    const DaemonLoad = Math.round(loadOf(daemon) * 1000) / 10;
    const metric = {
      Namespace: this.#namespace,
      Dimensions: [['Region']],
      Metrics: [{ Name: 'DaemonLoad', Unit: 'Percent' }],
    };
    const _aws = { Timestamp: now, CloudWatchMetrics: [metric] };
    this.#logger.info({ _aws, Region: region, DaemonLoad, daemonId }, 'daemon load');
  }
}
