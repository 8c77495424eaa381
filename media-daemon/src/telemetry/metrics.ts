import { counterOf } from '@mediasoup-server/server-kit/metrics';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { observedMetrics } from './observedMetrics.ts';

/** The daemon's metrics, in their own registry. */
export type Metrics = ReturnType<typeof createMetrics>;

const AN_HOUR_MS = 3_600_000;
const seconds = { buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

/** Declares the metrics and their labels. No label contains an id, which bounds the number of series. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  // prom-client's event loop monitor would wake the process repeatedly. EventLoopWatch does not.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: AN_HOUR_MS });
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith('nodejs_eventloop_lag_') && name !== 'nodejs_eventloop_lag_seconds')
      registry.removeSingleMetric(name);
  return {
    registry,
    ...observedMetrics(registry),
    sockets: new Gauge({ name: 'media_daemon_sockets', help: 'Open WebSockets.', registers }),
    requests: new Counter({
      name: 'media_daemon_requests_total',
      help: 'Signaling requests by method and code; 200 stands for success.',
      labelNames: ['method', 'code'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'media_daemon_request_seconds',
      help: 'Duration of signaling requests, refused ones included.',
      labelNames: ['method'],
      ...seconds,
      registers,
    }),
    joinSeconds: new Histogram({
      name: 'media_daemon_join_seconds',
      help: 'Time from the opening of a connection to the answer of its joinRoom, for new and resumed sessions.',
      labelNames: ['session'],
      ...seconds,
      registers,
    }),
    sessionEvents: new Counter({
      name: 'media_daemon_session_events_total',
      help: 'Sessions that were opened (joins), resumed after a lost socket, expired, and ended.',
      labelNames: ['event'],
      registers,
    }),
    rtpBytes: new Counter({
      name: 'media_daemon_rtp_bytes_total',
      help: 'Bytes of RTP received from peers (in) and sent to peers (out), by kind of media.',
      labelNames: ['direction', 'kind'],
      registers,
    }),
    rtpPackets: new Counter({
      name: 'media_daemon_rtp_packets_total',
      help: 'RTP packets received from peers (in) and sent to peers (out), by kind of media.',
      labelNames: ['direction', 'kind'],
      registers,
    }),
    rtpLost: new Counter({
      name: 'media_daemon_rtp_packets_lost_total',
      help: 'RTP packets lost on the way from peers (in) and to peers (out, as peers report).',
      labelNames: ['direction', 'kind'],
      registers,
    }),
    mediaStatsSeconds: new Gauge({
      name: 'media_daemon_media_stats_seconds',
      help: 'Time it takes to read the statistics of every stream once, which is the age of the RTP metrics.',
      registers,
    }),
    roomsClosed: counterOf(
      { end: ['empty', 'unjoined', 'command', 'worker', 'fenced', 'shutdown', 'moved'] },
      {
        name: 'media_daemon_rooms_closed_total',
        help: 'Closed rooms by reason: empty, unjoined, command, worker, fenced, shutdown, moved.',
        registers,
      },
    ),
    limited: new Counter({
      name: 'media_daemon_limited_total',
      help: 'Requests, messages and connections that were refused or closed because of a limit.',
      labelNames: ['limit'],
      registers,
    }),
    commands: new Counter({
      name: 'media_daemon_commands_total',
      help: 'gRPC calls by method and status.',
      labelNames: ['method', 'code'],
      registers,
    }),
    commandSeconds: new Histogram({
      name: 'media_daemon_command_seconds',
      help: 'Duration of gRPC calls, refused ones included, streams excluded.',
      labelNames: ['method'],
      ...seconds,
      registers,
    }),
    events: new Counter({
      name: 'media_daemon_events_total',
      help: 'Events sent to gRPC watchers, by kind.',
      labelNames: ['kind'],
      registers,
    }),
    watchers: new Gauge({ name: 'media_daemon_watchers', help: 'Open WatchEvents streams.', registers }),
    heartbeats: counterOf(
      { outcome: ['ok', 'failed'] },
      {
        name: 'media_daemon_heartbeats_total',
        help: 'Heartbeats by outcome (ok, failed).',
        registers,
      },
    ),
    fenced: new Counter({
      name: 'media_daemon_fenced_total',
      help: 'Times that the control plane had declared this daemon lost, after which it gave up its rooms and registered again.',
      registers,
    }),
    claims: counterOf(
      { outcome: ['granted', 'elsewhere', 'failed', 'reported'] },
      {
        name: 'media_daemon_claims_total',
        help: 'Claims of rooms at the control plane by outcome (granted, elsewhere, failed, reported).',
        registers,
      },
    ),
    workerDeaths: new Counter({
      name: 'media_daemon_worker_deaths_total',
      help: 'mediasoup workers that died.',
      registers,
    }),
  };
}
