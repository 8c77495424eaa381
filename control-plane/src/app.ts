import { listen } from '@mediasoup-server/server-kit/listener';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { serveMetrics } from '@mediasoup-server/server-kit/metrics';
import type { Express } from 'express';
import { collectDefaultMetrics } from 'prom-client';
import { readSecret } from './aws/secrets.ts';
import type { Config } from './config.ts';
import { DaemonClient } from './daemons/DaemonClient.ts';
import { readDaemonTls } from './daemons/daemonTls.ts';
import { DaemonTable } from './directory/DaemonTable.ts';
import { FleetCache } from './directory/FleetCache.ts';
import { LoadLog } from './directory/LoadLog.ts';
import { RoomTable } from './directory/RoomTable.ts';
import { Authorization } from './http/Authorization.ts';
import { createHttpApp } from './http/httpApp.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openStore } from './store/openStore.ts';
import { AccessTokens } from './tokens/AccessTokens.ts';
import { AssignmentKeys } from './tokens/AssignmentKeys.ts';
import { keySetAt, parseKeyRing } from './tokens/keyRing.ts';

/** How long requests that are under way may take to end once the control plane stops. */
const LAST_ANSWERS_MS = 5000;

/** A control plane that serves. */
export type ControlPlane = {
  /** Where the HTTP API is, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly metricsPort: number;
  /** Ends what is under way, then everything else. Calling it again waits for the same end. */
  close(): Promise<void>;
};

/** The HTTP API with what it stands on, which nothing listens for yet. */
export type ControlPlaneApi = {
  readonly app: Express;
  readonly metrics: Metrics;
  close(): Promise<void>;
};

/**
 * Opens the tables and keys, and makes the HTTP API.
 *
 * @throws Error that names the file, folder or address at fault; nothing is left open then.
 */
export async function openApi(config: Config, { logger }: { logger: Logger }): Promise<ControlPlaneApi> {
  const opened = new Opened();
  try {
    const keys = await openKeys(config, logger);
    const store = await openStore(config, logger);
    opened.add(() => store.close());
    const client = new DaemonClient({
      tls: await readDaemonTls(config),
      needsTokens: config.mode === 'jwt',
      sign: (command) => keys.signOwnCommand(command),
    });
    opened.add(() => client.close());
    const metrics = createMetrics();
    const table = { client: store.client, metrics, logger };
    const daemons = new DaemonTable(table, config.tablePrefix);
    const directory = {
      ...config,
      rooms: new RoomTable(table, config.tablePrefix),
      daemons,
      fleet: new FleetCache(daemons),
      loads: config.cloudwatchNamespace === undefined ? undefined : new LoadLog(config.cloudwatchNamespace, logger),
      client,
      metrics,
      logger,
    };
    const tokens = config.mode === 'jwt' ? await AccessTokens.load(config) : undefined;
    const app = createHttpApp({ ...config, authorization: new Authorization(tokens), directory, keys, metrics });
    return { app, metrics, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * Starts a control plane.
 *
 * @throws Error that names the file, folder or address at fault; nothing is left running then.
 */
export async function startControlPlane(config: Config, { logger }: { logger: Logger }): Promise<ControlPlane> {
  const opened = new Opened();
  try {
    const { app, metrics, close } = await openApi(config, { logger });
    opened.add(close);
    collectDefaultMetrics({ register: metrics.registry });
    const metricsAddress = { host: config.metricsIp, port: config.metricsPort };
    const metricsListener = await serveMetrics(metrics.registry, metricsAddress).catch((error: Error) => {
      throw new Error(`cannot serve the metrics: ${error.message}`, { cause: error });
    });
    opened.add(() => metricsListener.close());
    const { listenIp: host, listenPort: port, tlsCertFile, tlsKeyFile } = config;
    const perAddress = {
      most: config.maxIpConnections,
      trustedProxies: config.trustedProxies,
      onRefused: () => metrics.limited.inc({ limit: 'ipConnections' }),
    };
    const options = { host, port, tlsCertFile, tlsKeyFile, perAddress, lastAnswersMs: LAST_ANSWERS_MS };
    const listener = await listen(app, options, logger);
    opened.add(() => listener.close());
    const url = `${listener.secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${listener.port}`;
    logger.info({ url, metricsPort: metricsListener.port, store: config.store, mode: config.mode }, 'listening');
    return { url, port: listener.port, metricsPort: metricsListener.port, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** @throws Error that names the file or the secret at fault. */
function openKeys(config: Config, logger: Logger): Promise<AssignmentKeys> {
  const secret = config.assignmentKeySecret;
  if (secret !== undefined) {
    const read = async () => keySetAt(parseKeyRing(await readSecret(secret), secret), Date.now(), secret);
    return AssignmentKeys.follow(read, logger);
  }
  const { assignmentKeyFile: file, otherAssignmentKeyFiles: otherFiles, dataDir } = config;
  return AssignmentKeys.load({ file, otherFiles, dataDir });
}

/** What was opened, to be closed in the opposite order. */
class Opened {
  readonly #closers: (() => Promise<void> | void)[] = [];
  #closed: Promise<void> | undefined;

  add(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  /** Again, it waits for the same end. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      for (const close of this.#closers.toReversed()) await close();
    })();
    return this.#closed;
  }
}

/** Creates the tables in the configured store; those that exist stay as they are. */
export async function makeTables(config: Config, { logger }: { logger: Logger }): Promise<void> {
  const store = await openStore(config, logger);
  try {
    await store.createTables();
    logger.info({ prefix: config.tablePrefix }, 'tables are there');
  } finally {
    await store.close();
  }
}
