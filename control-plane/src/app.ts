import { listen } from '@mediasoup-server/server-kit/listener';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { serveMetrics } from '@mediasoup-server/server-kit/metrics';
import type { Express } from 'express';
import { collectDefaultMetrics } from 'prom-client';
import { readSecret } from './aws/secrets.ts';
import { DaemonClient } from './daemons/DaemonClient.ts';
import { readDaemonTls } from './daemons/daemonTls.ts';
import { DaemonTable } from './directory/DaemonTable.ts';
import { FleetCache } from './directory/FleetCache.ts';
import { LoadLog } from './directory/LoadLog.ts';
import { RoomTable } from './directory/RoomTable.ts';
import { Authorization } from './http/Authorization.ts';
import { createHttpApp } from './http/httpApp.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Config } from './settingsSchema.ts';
import { openStore } from './store/openStore.ts';
import { AccessTokens } from './tokens/AccessTokens.ts';
import { AssignmentKeys } from './tokens/AssignmentKeys.ts';
import { keySetAt, parseKeyRing } from './tokens/keyRing.ts';

/** How long requests under way may take once the control plane stops, ms. */
const LAST_ANSWERS_MS = 5000;

/** A control plane that serves. */
export type ControlPlane = {
  /** The URL of the HTTP API, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly metricsPort: number;
  /** Finishes requests under way, then closes everything. A second call waits for the first. */
  close(): Promise<void>;
};

/** The HTTP API and its resources, without a listener. */
export type ControlPlaneApi = {
  readonly app: Express;
  readonly metrics: Metrics;
  close(): Promise<void>;
};

/**
 * Opens the tables and keys, and creates the HTTP API.
 *
 * @throws Error that names the file, folder or address at fault, after closing what was opened.
 */
export async function openApi(config: Config, { logger }: { logger: Logger }): Promise<ControlPlaneApi> {
  const opened = new Opened();
  try {
    const { access, fleet, ice, limits } = config;
    const keys = await openKeys(config, logger);
    const store = await openStore(config.store, logger);
    opened.add(() => store.close());
    const client = new DaemonClient({
      tls: await readDaemonTls(config.daemons),
      needsTokens: access.mode === 'jwt',
      sign: (command) => keys.signOwnCommand(command),
    });
    opened.add(() => client.close());
    const metrics = createMetrics();
    const table = { client: store.client, metrics, logger };
    const { tablePrefix } = config.store;
    const { cloudwatchNamespace } = config.metrics;
    const daemons = new DaemonTable(table, tablePrefix);
    const directory = {
      ice,
      suspectAfterMs: fleet.suspectAfterMs,
      rooms: new RoomTable(table, tablePrefix),
      daemons,
      fleet: new FleetCache(daemons),
      loads: cloudwatchNamespace === undefined ? undefined : new LoadLog(cloudwatchNamespace, logger),
      client,
      metrics,
      logger,
    };
    const authorization = new Authorization(access.mode === 'jwt' ? await AccessTokens.load(access) : undefined);
    const { http, daemons: daemonTls } = config;
    const app = createHttpApp({ http, limits, fleet, daemonTls, authorization, directory, keys, metrics });
    return { app, metrics, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * Starts a control plane.
 *
 * @throws Error that names the file, folder or address at fault, after closing what was opened.
 */
export async function startControlPlane(config: Config, { logger }: { logger: Logger }): Promise<ControlPlane> {
  const opened = new Opened();
  try {
    const { app, metrics, close } = await openApi(config, { logger });
    opened.add(close);
    collectDefaultMetrics({ register: metrics.registry });
    const metricsAddress = { host: config.metrics.metricsIp, port: config.metrics.metricsPort };
    const metricsListener = await serveMetrics(metrics.registry, metricsAddress).catch((error: Error) => {
      throw new Error(`cannot serve the metrics: ${error.message}`, { cause: error });
    });
    opened.add(() => metricsListener.close());
    const { listenIp: host, listenPort: port, tlsCertFile, tlsKeyFile, trustedProxies } = config.http;
    const perAddress = {
      most: config.limits.maxIpConnections,
      trustedProxies,
      onRefused: () => metrics.limited.inc({ limit: 'ipConnections' }),
    };
    const options = { host, port, tlsCertFile, tlsKeyFile, perAddress, lastAnswersMs: LAST_ANSWERS_MS };
    const listener = await listen(app, options, logger);
    opened.add(() => listener.close());
    const url = `${listener.secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${listener.port}`;
    logger.info(
      { url, metricsPort: metricsListener.port, store: config.store.store, mode: config.access.mode },
      'listening',
    );
    return { url, port: listener.port, metricsPort: metricsListener.port, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** @throws Error that names the file or the secret at fault. */
function openKeys({ assignmentKeys, store }: Config, logger: Logger): Promise<AssignmentKeys> {
  const secret = assignmentKeys.assignmentKeySecret;
  if (secret !== undefined) {
    const read = async () => keySetAt(parseKeyRing(await readSecret(secret), secret), Date.now(), secret);
    return AssignmentKeys.follow(read, logger);
  }
  const { assignmentKeyFile: file, otherAssignmentKeyFiles: otherFiles } = assignmentKeys;
  return AssignmentKeys.load({ file, otherFiles, dataDir: store.dataDir });
}

/** Closes resources in the opposite order of their opening. */
class Opened {
  readonly #closers: (() => Promise<void> | void)[] = [];
  #closed: Promise<void> | undefined;

  add(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  /** A second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      for (const close of this.#closers.toReversed()) await close();
    })();
    return this.#closed;
  }
}

/** Creates the tables that the configured store lacks. */
export async function makeTables(config: Config, { logger }: { logger: Logger }): Promise<void> {
  const store = await openStore(config.store, logger);
  try {
    await store.createTables();
    logger.info({ prefix: config.store.tablePrefix }, 'tables exist');
  } finally {
    await store.close();
  }
}
