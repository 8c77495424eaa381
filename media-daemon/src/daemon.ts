import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { listen } from '@mediasoup-server/server-kit/listener';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { serveMetrics } from '@mediasoup-server/server-kit/metrics';
import { setLogEventListeners } from 'mediasoup';
import manifest from '../package.json' with { type: 'json' };
import { Admission } from './admission/Admission.ts';
import { authorizeByToken } from './commands/authorize.ts';
import { type CommandTls, startCommandServer } from './commands/CommandServer.ts';
import { EventLog } from './commands/EventLog.ts';
import { createMediaDaemonService } from './commands/MediaDaemonService.ts';
import type { DaemonConfig } from './config.ts';
import { RequestError } from './errors.ts';
import { Drain } from './fleet/Drain.ts';
import { LoadMeter } from './fleet/LoadMeter.ts';
import { Registration } from './fleet/Registration.ts';
import { createApp } from './http/app.ts';
import { Rooms } from './rooms/Rooms.ts';
import { Sessions } from './signaling/Sessions.ts';
import { SignalingServer } from './signaling/SignalingServer.ts';
import { MediaMeter } from './telemetry/MediaMeter.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { WorkerPool } from './workers/WorkerPool.ts';

/** Connections beyond those of peers: of health checks, and of those who are refused. */
const SPARE_CONNECTIONS = 2000;

/** A daemon that runs. */
export type Daemon = {
  /** Where frontends connect: `ws://127.0.0.1:4443`. */
  readonly url: string;
  /** The port behind that, which may be another one. */
  readonly listenPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  /** Moves the rooms away; resolves when they are gone or the deadline has passed. */
  drain(deadlineMs?: number): Promise<void>;
  /** Tells the peers to reconnect, and ends everything. */
  close(): Promise<void>;
};

export type DaemonHooks = {
  /** The daemon has no place in the fleet any more: it takes nobody new, and is to end when its peers have moved. */
  readonly onSuperseded: (reason: string) => void;
  /** The daemon is to be drained, and then to end. */
  readonly onDrainCommand: (deadlineMs: number | undefined) => void;
};

/**
 * Starts a media daemon: workers, the HTTP and WebSocket server, gRPC, metrics, and the registration.
 *
 * @throws Error that says what is in the way: a port in use, a certificate that cannot be read, no worker binary.
 */
export async function startDaemon(config: DaemonConfig, logger: Logger, hooks: DaemonHooks): Promise<Daemon> {
  const { daemonId, http, access, grpc, rtc, fleet, ice, limits } = config;
  const closers: (() => void | Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) {
      try {
        await closer();
      } catch (error) {
        // The rest is closed all the same.
        logger.error({ err: error }, 'a part of the daemon failed to close');
      }
    }
  };
  try {
    const metrics = createMetrics();
    setLogEventListeners({
      onwarn: (namespace, message) => logger.warn({ namespace }, message),
      onerror: (namespace, message, error) => logger.error({ namespace, err: error }, message),
    });
    const events = new EventLog({ ...grpc, metrics });
    const pool = await WorkerPool.create(
      {
        ...rtc,
        onDied: (pid) => {
          metrics.workerDeaths.inc();
          events.add('', { case: 'workerDied', value: { pid } });
        },
        onReplaced: (pid) => events.add('', { case: 'workerReplaced', value: { pid } }),
      },
      logger,
    );
    closers.push(() => pool.close());
    tellBatching(pool, logger);
    const rooms = new Rooms(pool, { ...config.rooms, limits, unjoinedMs: config.rooms.unjoinedRoomMs }, logger);
    rooms.listen((room, event) => {
      events.addOf(room, event);
      if (event.kind === 'roomClosed') metrics.roomsClosed.inc({ end: event.end });
    });
    const sessions = new Sessions(rooms, { ...config.signaling, metrics, logger });
    const load = new LoadMeter({ ...fleet, rooms, pool });
    const mediaMeter = new MediaMeter(rooms, { ...config.metrics, metrics, logger });
    closers.push(() => {
      load.close();
      mediaMeter.close();
    });
    let registration: Registration | undefined;
    const registered = () => {
      if (!registration) throw new RequestError('UNAVAILABLE', 'the daemon has not registered yet, try again');
      return registration;
    };
    const listener = await listen(
      createApp({
        rooms,
        pool,
        logger,
        checkRoomToken: access.mode === 'jwt' ? async (...of) => registered().checkRoomToken(...of) : undefined,
      }) as RequestListener,
      {
        ...http,
        host: http.listenIp,
        port: http.listenPort,
        // A peer has one, and a second one while it resumes or moves; the spare ones are for other clients.
        maxConnections: 2 * fleet.maxPeers + SPARE_CONNECTIONS,
        perAddress: {
          most: http.maxIpConnections,
          trustedProxies: http.trustedProxies,
          onRefused: () => metrics.limited.inc({ limit: 'ipConnections' }),
        },
      },
      logger,
    );
    closers.push(() => listener.close());
    const url = http.publicUrl ?? `${listener.secure ? 'wss' : 'ws'}://${hostInUrl(http.listenIp)}:${listener.port}`;

    const startedAlone = randomUUID();
    const commands = await startCommandServer(
      createMediaDaemonService(
        {
          daemonId,
          incarnation: () => registration?.incarnation ?? startedAlone,
          version: manifest.version,
          startedAt: new Date(),
        },
        { rooms, pool, events, metrics },
        { beforeCreate: async (roomId) => registration?.withdrawClosing(roomId), drain: hooks.onDrainCommand },
      ),
      {
        host: grpc.grpcIp,
        port: grpc.grpcPort,
        tls: commandTls(config),
        authorize: asksForTokens(config)
          ? authorizeByToken(
              async (token) => registered().checkCommandToken(token),
              () => ({ daemonId, incarnation: registered().incarnation }),
            )
          : undefined,
        perAddress: {
          most: grpc.grpcMaxIpConnections,
          trustedProxies: http.trustedProxies,
          onRefused: () => metrics.limited.inc({ limit: 'grpcIpConnections' }),
        },
        metrics,
        logger,
      },
    );
    closers.push(() => commands.close());
    closers.push(() => events.close());

    if (fleet.controlPlaneUrl && fleet.daemonKey) {
      const grpcAddress = grpc.grpcAddress ?? `${hostInUrl(grpc.grpcIp)}:${commands.port}`;
      registration = new Registration(rooms, {
        ...fleet,
        daemonId,
        controlPlaneUrl: fleet.controlPlaneUrl,
        daemonKey: fleet.daemonKey,
        url: url.replace(/\/$/, ''),
        grpcAddress,
        version: manifest.version,
        load,
        metrics,
        logger,
        onSuperseded: hooks.onSuperseded,
      });
    }

    const admission = new Admission({
      rooms,
      registration,
      mode: access.mode,
      maxPeers: fleet.maxPeers,
      peerCount: () => sessions.size,
      onLimit: (limit) => metrics.limited.inc({ limit }),
    });
    const signaling = new SignalingServer(listener, rooms, {
      ...config.signaling,
      ...ice,
      trustedProxies: http.trustedProxies,
      metrics,
      logger,
      sessions,
      admission,
    });
    closers.push(() => signaling.close());
    closers.push(() => rooms.close('shutdown'));
    const drain = new Drain(rooms, {
      ...fleet,
      logger,
      announce: async () => {
        commands.stopServing();
        await registration?.report();
      },
      progressed: (left) => events.add('', { case: 'drainProgress', value: left }),
    });
    metrics.observe({ rooms, pool, sessions, load, drain });
    const metricsServer = await serveMetrics(metrics.registry, {
      host: config.metrics.metricsIp,
      port: config.metrics.metricsPort,
    });
    closers.push(() => metricsServer.close());
    if (registration) {
      const registered = registration;
      registered.beat();
      closers.push(() => registered.close());
    }
    return {
      url,
      listenPort: listener.port,
      grpcPort: commands.port,
      metricsPort: metricsServer.port,
      drain: (deadlineMs) => drain.run(deadlineMs),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What forwarding costs depends on it. */
function tellBatching({ workers, batches }: WorkerPool, logger: Logger): void {
  const told = { workers: workers.length, batching: batches.length };
  if (told.batching === told.workers) logger.info(told, 'the workers send several packets in one call');
  else if (workers.some(({ batch }) => batch))
    logger.info(told, 'the workers send each packet in a call of its own, as MEDIA_DAEMON_RTC_BATCH says');
  else
    logger.warn(
      told,
      'the workers send each packet in a call of its own, which needs more CPU: this mediasoup-worker is not of tools/worker-build',
    );
}

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Client certificates identify callers; without them mode `jwt` requires tokens. */
const asksForTokens = ({ access, grpc }: DaemonConfig): boolean =>
  access.mode === 'jwt' && grpc.grpcClientCaFile === undefined;

const commandTls = ({ grpc, http }: DaemonConfig): CommandTls | undefined =>
  grpc.grpcTlsCertFile === undefined || grpc.grpcTlsKeyFile === undefined
    ? undefined
    : {
        certFile: grpc.grpcTlsCertFile,
        keyFile: grpc.grpcTlsKeyFile,
        clientCaFile: grpc.grpcClientCaFile,
        pollMs: http.certificatePollMs,
      };
