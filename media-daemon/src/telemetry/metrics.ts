import { counterOf } from '@mediasoup-server/server-kit/metrics';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { observedMetrics } from './observedMetrics.ts';

/** What the daemon counts, in a registry of its own. */
export type Metrics = ReturnType<typeof createMetrics>;

const AN_HOUR_MS = 3_600_000;
const seconds = { buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

/** Names the metrics and their labels. No label holds an id, so that their number stays small. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  // Its own watch of the event loop would wake the process again and again; EventLoopWatch does not.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: AN_HOUR_MS });
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith('nodejs_eventloop_lag_') && name !== 'nodejs_eventloop_lag_seconds')
      registry.removeSingleMetric(name);
  return {
    registry,
    ...observedMetrics(registry),
    sockets: new Gauge({ name: 'media_daemon_sockets', help: 'WebSockets that are open.', registers }),
    requests: new Counter({
      name: 'media_daemon_requests_total',
      help: 'Signaling requests by method and code; 200 stands for success.',
      labelNames: ['method', 'code'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'media_daemon_request_seconds',
      help: 'How long signaling requests took, the refused ones too.',
      labelNames: ['method'],
      ...seconds,
      registers,
    }),
    joinSeconds: new Histogram({
      name: 'media_daemon_join_seconds',
      help: 'From the opening of a connection to the answer of its joinRoom, of new and of resumed sessions.',
      labelNames: ['session'],
      ...seconds,
      registers,
    }),
    sessionEvents: new Counter({
      name: 'media_daemon_session_events_total',
      help: 'Sessions that were opened (joins), resumed after a lost socket, expired without one, and ended.',
      labelNames: ['event'],
      registers,
    }),
    rtpBytes: new Counter({
      name: 'media_daemon_rtp_bytes_total',
      help: 'Bytes of RTP that peers sent (in) and were sent (out), by kind of media.',
      labelNames: ['direction', 'kind'],
      registers,
    }),
    rtpPackets: new Counter({
      name: 'media_daemon_rtp_packets_total',
      help: 'RTP packets that peers sent (in) and were sent (out), by kind of media.',
      labelNames: ['direction', 'kind'],
      registers,
    }),
    rtpLost: new Counter({
      name: 'media_daemon_rtp_packets_lost_total',
      help: 'RTP packets that were lost on the way from peers (in) and to them (out, as they report it).',
      labelNames: ['direction', 'kind'],
      registers,
    }),
    mediaStatsSeconds: new Gauge({
      name: 'media_daemon_media_stats_seconds',
      help: 'How long it took to ask each stream for its statistics once: so old is what the metrics of RTP say.',
      registers,
    }),
    roomsClosed: counterOf(
      { end: ['empty', 'unjoined', 'command', 'worker', 'fenced', 'shutdown', 'moved'] },
      {
        name: 'media_daemon_rooms_closed_total',
        help: 'Rooms that closed, by why: empty, unjoined, command, worker, fenced, shutdown, moved.',
        registers,
      },
    ),
    limited: new Counter({
      name: 'media_daemon_limited_total',
      help: 'What was refused or cut because it was over a limit.',
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
      help: 'How long gRPC calls took, the refused ones too; streams are left out.',
      labelNames: ['method'],
      ...seconds,
      registers,
    }),
    events: new Counter({
      name: 'media_daemon_events_total',
      help: 'What happened, as gRPC watchers are told it, by kind.',
      labelNames: ['kind'],
      registers,
    }),
    watchers: new Gauge({ name: 'media_daemon_watchers', help: 'WatchEvents streams that are open.', registers }),
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
      help: 'How often the control plane had declared this daemon lost, so that it let all rooms go and registered anew.',
      registers,
    }),
    claims: counterOf(
      { outcome: ['granted', 'elsewhere', 'failed', 'reported'] },
      {
        name: 'media_daemon_claims_total',
        help: 'Rooms claimed at the control plane by outcome (granted, elsewhere, failed, reported).',
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
