import type { Logger } from '@mediasoup-server/server-kit/logger';
import { type Daemon, loadOf } from './Daemon.ts';

/** How often each daemon's load is logged, ms: CloudWatch makes one figure of a minute's. */
const PERIOD_MS = 20_000;
/** Beyond so many daemons all are forgotten, and logged once too often. */
const MAX_REMEMBERED = 10_000;

/**
 * Logs how loaded daemons are, in CloudWatch's embedded metric format: out of the log of a function on AWS it makes the
 * metric `DaemonLoad`, by region, in per cent of what a daemon carries. Its mean is what a fleet is scaled by, so it leaves
 * out daemons that drain.
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
