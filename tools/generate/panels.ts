/** A chart: what it shows, and its queries by their legends. */
type Panel = {
  readonly title: string;
  readonly description: string;
  /** As Grafana names units: `reqps`, `bps`, `s`, `percentunit`. */
  readonly unit: string;
  readonly queries: Readonly<Record<string, string>>;
};

const DAEMON = 'instance=~"$daemon"';
const daemon = (name: string, labels = ''): string => `media_daemon_${name}{${DAEMON}${labels && `,${labels}`}}`;
const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
const quantile = (of: number, bucket: string, by = 'le'): string =>
  `histogram_quantile(${of}, sum by (${by}) (${rate(bucket)}))`;

/** The rows of the dashboard. */
export const panels: Readonly<Record<string, readonly Panel[]>> = {
  Service: [
    {
      title: 'Peers and rooms',
      description: 'In the rooms of all chosen daemons.',
      unit: 'short',
      queries: { peers: `sum(${daemon('peers')})`, rooms: `sum(${daemon('rooms')})` },
    },
    {
      title: 'Joins',
      description: 'New sessions, those that resumed after a lost socket, and those that were given up.',
      unit: 'reqps',
      queries: { '{{event}}': `sum by (event) (${rate(daemon('session_events_total', 'event!="ended"'))})` },
    },
    {
      title: 'Join time',
      description: 'From the opening of a connection to the answer of its joinRoom.',
      unit: 's',
      queries: {
        median: quantile(0.5, daemon('join_seconds_bucket', 'session="new"')),
        p95: quantile(0.95, daemon('join_seconds_bucket', 'session="new"')),
        'p95 of resumed': quantile(0.95, daemon('join_seconds_bucket', 'session="resumed"')),
      },
    },
    {
      title: 'Assignments',
      description: 'How many are decided.',
      unit: 'reqps',
      queries: { assignments: `sum(${rate('control_plane_assignment_seconds_count')})` },
    },
    {
      title: 'Assignment time',
      description: 'The refused ones too.',
      unit: 's',
      queries: {
        median: quantile(0.5, 'control_plane_assignment_seconds_bucket'),
        p95: quantile(0.95, 'control_plane_assignment_seconds_bucket'),
      },
    },
    {
      title: 'Assignments refused',
      description: 'By the code that the frontend gets.',
      unit: 'reqps',
      queries: { '{{code}}': `sum by (code) (${rate('control_plane_assignment_refusals_total')})` },
    },
  ],
  Media: [
    {
      title: 'Bits',
      description: 'RTP that peers send (in) and are sent (out), by mediasoup.',
      unit: 'bps',
      queries: { '{{direction}} {{kind}}': `8 * sum by (direction, kind) (${rate(daemon('rtp_bytes_total'))})` },
    },
    {
      title: 'Packets',
      description: 'A core of a worker forwards some 50,000 a second.',
      unit: 'pps',
      queries: { '{{direction}} {{kind}}': `sum by (direction, kind) (${rate(daemon('rtp_packets_total'))})` },
    },
    {
      title: 'Loss',
      description: 'Of all packets on the way from peers (in) and to them (out, as they report it).',
      unit: 'percentunit',
      queries: {
        '{{direction}}':
          `sum by (direction) (${rate(daemon('rtp_packets_lost_total'))})` +
          ` / (sum by (direction) (${rate(daemon('rtp_packets_total'))})` +
          ` + sum by (direction) (${rate(daemon('rtp_packets_lost_total'))}))`,
      },
    },
    {
      title: 'Producers and consumers',
      description: 'What is open.',
      unit: 'short',
      queries: { producers: `sum(${daemon('producers')})`, consumers: `sum(${daemon('consumers')})` },
    },
    {
      title: 'Worker CPU',
      description: 'Of one core each; the busiest worker of each daemon limits it.',
      unit: 'percentunit',
      queries: { '{{instance}} worker {{worker}}': rate(daemon('worker_cpu_seconds_total')) },
    },
    {
      title: 'Consumers of workers',
      description: 'Of each worker; a saturated one is given nothing more where another can have it.',
      unit: 'short',
      queries: {
        '{{instance}} worker {{worker}}': daemon('worker_consumers'),
        '{{instance}} saturated workers': daemon('workers_saturated'),
      },
    },
    {
      title: 'Rooms over several workers',
      description: 'Routers beyond one a room, and the pipes between them.',
      unit: 'short',
      queries: {
        routers: `sum(${daemon('routers')}) - sum(${daemon('rooms')})`,
        pipes: `sum(${daemon('pipes')})`,
      },
    },
    {
      title: 'Age of the media metrics',
      description: 'How long it took to ask each stream for its statistics once.',
      unit: 's',
      queries: { '{{instance}}': daemon('media_stats_seconds') },
    },
  ],
  'Media daemons': [
    {
      title: 'Load',
      description: 'What heartbeats tell the control plane, which places rooms by the worst of it.',
      unit: 'percentunit',
      queries: {
        '{{instance}} worker CPU': daemon('worker_cpu_ratio'),
        '{{instance}} network': daemon('network_ratio'),
      },
    },
    {
      title: 'Event loop delay',
      description: 'On average, and the longest between two looks.',
      unit: 's',
      queries: {
        '{{instance}}': daemon('event_loop_delay_seconds'),
        '{{instance}} longest': daemon('event_loop_longest_seconds'),
      },
    },
    {
      title: 'Memory',
      description: "Resident memory of the daemons' own processes, without their workers.",
      unit: 'bytes',
      queries: { '{{instance}}': `process_resident_memory_bytes{job="media-daemon",${DAEMON}}` },
    },
    {
      title: 'Signaling requests',
      description: 'By method.',
      unit: 'reqps',
      queries: { '{{method}}': `sum by (method) (${rate(daemon('requests_total'))})` },
    },
    {
      title: 'Signaling requests refused',
      description: 'By code; 500 is a fault of the service.',
      unit: 'reqps',
      queries: { '{{code}}': `sum by (code) (${rate(daemon('requests_total', 'code!="200"'))})` },
    },
    {
      title: 'Signaling request time',
      description: 'The 95th percentile of each method.',
      unit: 's',
      queries: { '{{method}}': quantile(0.95, daemon('request_seconds_bucket'), 'le, method') },
    },
    {
      title: 'Sockets',
      description: 'Those that are open, and sessions that wait for theirs.',
      unit: 'short',
      queries: {
        open: `sum(${daemon('sockets')})`,
        'lost and waited for': `sum(${daemon('sessions_disconnected')})`,
      },
    },
    {
      title: 'Over a limit',
      description: 'What was refused or cut.',
      unit: 'reqps',
      queries: { '{{limit}}': `sum by (limit) (${rate(daemon('limited_total'))})` },
    },
    {
      title: 'Why rooms close',
      description:
        'moved and shutdown are of drains, worker of a dead worker, fenced of a daemon that was declared lost.',
      unit: 'reqps',
      queries: { '{{end}}': `sum by (end) (${rate(daemon('rooms_closed_total'))})` },
    },
    {
      title: 'Draining',
      description: 'Peers that are yet to move, and the time until they are cut off.',
      unit: 'short',
      queries: {
        '{{instance}} peers': `${daemon('peers')} and on (instance) ${daemon('draining')} == 1`,
        '{{instance}} seconds left': `${daemon('drain_seconds_left')} > 0`,
      },
    },
    {
      title: 'Workers that died',
      description: 'And were replaced.',
      unit: 'short',
      queries: { '{{instance}}': `increase(${daemon('worker_deaths_total')}[$__rate_interval])` },
    },
    {
      title: 'gRPC commands',
      description: 'By method and status.',
      unit: 'reqps',
      queries: { '{{method}} {{code}}': `sum by (method, code) (${rate(daemon('commands_total'))})` },
    },
  ],
  'Control plane': [
    {
      title: 'Requests',
      description: 'By status.',
      unit: 'reqps',
      queries: { '{{status}}': `sum by (status) (${rate('control_plane_http_requests_total')})` },
    },
    {
      title: 'Request time',
      description: 'The 95th percentile of each route.',
      unit: 's',
      queries: { '{{route}}': quantile(0.95, 'control_plane_http_request_seconds_bucket', 'le, route') },
    },
    {
      title: 'Table operations',
      description: 'condition: the write lost a race, as happens.',
      unit: 'reqps',
      queries: {
        '{{table}} {{operation}} {{outcome}}': `sum by (table, operation, outcome) (${rate('control_plane_table_operations_total')})`,
      },
    },
    {
      title: 'Table time',
      description: 'The 95th percentile.',
      unit: 's',
      queries: {
        '{{table}} {{operation}}': quantile(0.95, 'control_plane_table_seconds_bucket', 'le, table, operation'),
      },
    },
    {
      title: 'Heartbeats',
      description: 'That daemons could and could not deliver, and entries of them that were not taken.',
      unit: 'reqps',
      queries: {
        '{{instance}} {{outcome}}': rate(daemon('heartbeats_total')),
        'entries {{outcome}}': `sum by (outcome) (${rate('control_plane_report_entries_left_total')})`,
      },
    },
    {
      title: 'Claims of rooms',
      description: 'That daemons make for peers without an assignment, and to renew their records.',
      unit: 'reqps',
      queries: { '{{outcome}}': `sum by (outcome) (${rate(daemon('claims_total'))})` },
    },
    {
      title: 'Fencing',
      description:
        'Daemons that were declared lost, were not since this control plane is rather cut off, and lived after all.',
      unit: 'short',
      queries: {
        'declared lost': 'sum(increase(control_plane_daemons_lost_total[$__rate_interval]))',
        withheld: 'sum(increase(control_plane_fencing_withheld_total[$__rate_interval]))',
        'lived after all': `sum(increase(${daemon('fenced_total')}[$__rate_interval]))`,
        'probes {{outcome}}': 'sum by (outcome) (increase(control_plane_probes_total[$__rate_interval]))',
      },
    },
  ],
};
