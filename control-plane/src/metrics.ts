import { counterOf } from '@mediasoup-server/server-kit/metrics';
import { Counter, Histogram, Registry } from 'prom-client';

/** The control plane's metrics, in a registry of their own. */
export type Metrics = ReturnType<typeof createMetrics>;

const seconds = { buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

/** Creates the metrics. No label holds an id, so the number of series stays small. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    httpRequests: new Counter({
      name: 'control_plane_http_requests_total',
      help: 'HTTP requests by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    httpRequestSeconds: new Histogram({
      name: 'control_plane_http_request_seconds',
      help: 'Duration of HTTP requests, by route and method.',
      labelNames: ['route', 'method'],
      ...seconds,
      registers,
    }),
    assignmentSeconds: new Histogram({
      name: 'control_plane_assignment_seconds',
      help: 'Duration of assignments, including refused ones.',
      ...seconds,
      registers,
    }),
    assignmentRefusals: new Counter({
      name: 'control_plane_assignment_refusals_total',
      help: 'Refused assignments, by problem code.',
      labelNames: ['code'],
      registers,
    }),
    probes: counterOf(
      { outcome: ['alive', 'silent'] },
      {
        name: 'control_plane_probes_total',
        help: 'Probes of suspected media daemons, by outcome (alive, silent).',
        registers,
      },
    ),
    daemonsLost: new Counter({
      name: 'control_plane_daemons_lost_total',
      help: 'Media daemons that were declared lost; their rooms may then be placed elsewhere.',
      registers,
    }),
    fencingWithheld: new Counter({
      name: 'control_plane_fencing_withheld_total',
      help: 'Silent daemons that were not declared lost, because this control plane also reaches too few of the others.',
      registers,
    }),
    reportEntriesLeft: counterOf(
      { outcome: ['skipped', 'unprocessed'] },
      {
        name: 'control_plane_report_entries_left_total',
        help: 'Entries of reports of media daemons that were not taken, by outcome: not valid (skipped), or not written, so that the daemon reports them again (unprocessed). The log names each.',
        registers,
      },
    ),
    limited: counterOf(
      { limit: ['assignments', 'requests', 'wrongKeys', 'ipConnections'] },
      {
        name: 'control_plane_limited_total',
        help: 'Requests answered with 429 and connections closed, by limit (assignments, requests, wrongKeys, ipConnections).',
        registers,
      },
    ),
    tableOperations: new Counter({
      name: 'control_plane_table_operations_total',
      help: 'Table operations by table, operation and outcome (ok, condition, error).',
      labelNames: ['table', 'operation', 'outcome'],
      registers,
    }),
    tableSeconds: new Histogram({
      name: 'control_plane_table_seconds',
      help: 'Duration of table operations, including failed ones.',
      labelNames: ['table', 'operation'],
      ...seconds,
      registers,
    }),
  };
}
