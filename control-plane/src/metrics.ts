import { counterOf } from '@mediasoup-server/server-kit/metrics';
import { Counter, Histogram, Registry } from 'prom-client';

/** What the control plane counts, in a registry of its own. */
export type Metrics = ReturnType<typeof createMetrics>;

const seconds = { buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

/** Names the metrics and their labels. No label holds an id, so that their number stays small. */
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
      help: 'How long HTTP requests took, by route and method.',
      labelNames: ['route', 'method'],
      ...seconds,
      registers,
    }),
    assignmentSeconds: new Histogram({
      name: 'control_plane_assignment_seconds',
      help: 'How long assignments took, the refused ones too.',
      ...seconds,
      registers,
    }),
    assignmentRefusals: new Counter({
      name: 'control_plane_assignment_refusals_total',
      help: 'Assignments that were refused, by problem code.',
      labelNames: ['code'],
      registers,
    }),
    probes: counterOf(
      { outcome: ['alive', 'silent'] },
      {
        name: 'control_plane_probes_total',
        help: 'Probes of media daemons that seemed dead, by outcome (alive, silent).',
        registers,
      },
    ),
    daemonsLost: new Counter({
      name: 'control_plane_daemons_lost_total',
      help: 'Media daemons that were declared lost, so that their rooms may be placed elsewhere.',
      registers,
    }),
    fencingWithheld: new Counter({
      name: 'control_plane_fencing_withheld_total',
      help: 'Silent daemons that were not declared lost, since this control plane reaches too few of the others too.',
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
        help: 'Requests that were answered with 429, and connections that were closed, by limit (assignments, requests, wrongKeys, ipConnections).',
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
      help: 'How long table operations took, the failed ones too.',
      labelNames: ['table', 'operation'],
      ...seconds,
      registers,
    }),
  };
}
