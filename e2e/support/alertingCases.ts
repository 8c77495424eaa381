/** The series, for promtool, with which one alert fires, and those that differ when it does not. */
type AlertingCase = {
  readonly alert: string;
  readonly firing: Record<string, string>;
  readonly quiet: Record<string, string>;
  /** Labels of the firing alert beside its severity. */
  readonly labels: Record<string, string>;
  readonly summary: string;
};

/** A constant counter, and counters that rise every 15 s. */
const still = '5x80';
const rising = (by: number): string => `0+${by}x80`;
const is = (value: number): string => `${value}x80`;

const instance = 'a:1';
const on = (name: string, labels = ''): string => `${name}{instance="${instance}"${labels && `,${labels}`}}`;
const sample = (name: string, labels: string, values: string) => ({ [on(name, labels)]: values });

/** A histogram in which nine of ten observations take up to `seconds`, and the others less than 1 ms. */
const slow = (name: string, seconds: number, labels = ''): Record<string, string> => ({
  ...sample(`${name}_bucket`, `${labels && `${labels},`}le="0.001"`, rising(1)),
  ...sample(`${name}_bucket`, `${labels && `${labels},`}le="${seconds}"`, rising(10)),
  ...sample(`${name}_bucket`, `${labels && `${labels},`}le="+Inf"`, rising(10)),
});

export const alertingCases: readonly AlertingCase[] = [
  {
    alert: 'ControlPlaneDown',
    firing: sample('up', 'job="control-plane"', is(0)),
    quiet: sample('up', 'job="control-plane"', is(1)),
    labels: { job: 'control-plane', instance },
    summary: 'The control plane a:1 does not answer.',
  },
  {
    alert: 'AssignmentsRefused',
    firing: {
      ...sample('control_plane_assignment_refusals_total', 'code="NO_CAPACITY"', rising(1)),
      ...sample('control_plane_assignment_seconds_count', '', rising(10)),
      ...sample('control_plane_assignment_refusals_total', 'code="FORBIDDEN"', rising(5)),
    },
    quiet: sample('control_plane_assignment_refusals_total', 'code="NO_CAPACITY"', still),
    labels: {},
    summary: '10% of the assignments are refused.',
  },
  {
    alert: 'AssignmentsSlow',
    firing: slow('control_plane_assignment_seconds', 5),
    quiet: sample('control_plane_assignment_seconds_bucket', 'le="0.001"', rising(10)),
    labels: {},
    summary: 'One assignment in twenty takes longer than 4.722s.',
  },
  {
    alert: 'ControlPlaneErrors',
    firing: sample('control_plane_http_requests_total', 'route="/rooms",method="GET",status="500"', rising(1)),
    quiet: sample('control_plane_http_requests_total', 'route="/rooms",method="GET",status="500"', still),
    labels: { instance, route: '/rooms' },
    summary: '/rooms of a:1 answers with 500.',
  },
  {
    alert: 'TableFailing',
    firing: sample('control_plane_table_operations_total', 'table="rooms",operation="get",outcome="error"', rising(1)),
    quiet: sample('control_plane_table_operations_total', 'table="rooms",operation="get",outcome="error"', still),
    labels: { table: 'rooms' },
    summary: 'Operations of the table rooms fail.',
  },
  {
    alert: 'DaemonLost',
    firing: sample('control_plane_daemons_lost_total', '', '0x50 1x30'),
    quiet: sample('control_plane_daemons_lost_total', '', is(1)),
    labels: {},
    summary: 'A media daemon was declared lost, and its rooms are placed elsewhere.',
  },
  {
    alert: 'FencingWithheld',
    firing: sample('control_plane_fencing_withheld_total', '', '0x50 1x30'),
    quiet: sample('control_plane_fencing_withheld_total', '', is(1)),
    labels: { instance },
    summary: 'The control plane a:1 reaches too few media daemons.',
  },
  {
    alert: 'WrongKeys',
    firing: sample('control_plane_limited_total', 'limit="wrongKeys"', rising(1)),
    quiet: sample('control_plane_limited_total', 'limit="wrongKeys"', still),
    labels: {},
    summary: "Somebody keeps showing wrong daemons' keys.",
  },
  {
    alert: 'MediaDaemonDown',
    firing: sample('up', 'job="media-daemon"', is(0)),
    quiet: sample('up', 'job="media-daemon"', is(1)),
    labels: { job: 'media-daemon', instance },
    summary: 'The media daemon a:1 does not answer.',
  },
  {
    alert: 'HeartbeatsFailing',
    firing: {
      ...sample('media_daemon_heartbeats_total', 'outcome="failed"', rising(7)),
      ...sample('media_daemon_heartbeats_total', 'outcome="ok"', still),
    },
    quiet: sample('media_daemon_heartbeats_total', 'outcome="ok"', rising(1)),
    labels: { instance },
    summary: 'The control plane does not take the heartbeats of a:1.',
  },
  {
    alert: 'MediaDaemonFenced',
    firing: sample('media_daemon_fenced_total', '', '0x50 1x30'),
    quiet: sample('media_daemon_fenced_total', '', is(1)),
    labels: { instance },
    summary: 'a:1 had been declared lost although it lives.',
  },
  {
    alert: 'MediaWorkerDied',
    firing: sample('media_daemon_worker_deaths_total', '', '0x50 1x30'),
    quiet: sample('media_daemon_worker_deaths_total', '', is(1)),
    labels: { instance },
    summary: 'A media worker of a:1 died.',
  },
  {
    alert: 'MediaWorkerBusy',
    firing: {
      ...sample('media_daemon_worker_cpu_seconds_total', 'worker="0"', rising(13.5)),
      ...sample('media_daemon_worker_cpu_seconds_total', 'worker="1"', rising(1)),
    },
    quiet: sample('media_daemon_worker_cpu_seconds_total', 'worker="0"', rising(1)),
    labels: { instance },
    summary: 'A media worker of a:1 uses 90% of its core.',
  },
  {
    alert: 'EventLoopLate',
    firing: sample('media_daemon_event_loop_delay_seconds', '', is(0.25)),
    quiet: sample('media_daemon_event_loop_delay_seconds', '', is(0.001)),
    labels: { instance },
    summary: 'Signaling of a:1 is 250ms late.',
  },
  {
    alert: 'NetworkBusy',
    firing: sample('media_daemon_network_ratio', '', is(0.9)),
    quiet: sample('media_daemon_network_ratio', '', is(0.5)),
    labels: { instance },
    summary: 'a:1 uses 90% of its network.',
  },
  {
    alert: 'PacketsLost',
    firing: {
      ...sample('media_daemon_rtp_packets_lost_total', 'direction="out",kind="video"', rising(5)),
      ...sample('media_daemon_rtp_packets_total', 'direction="out",kind="video"', rising(95)),
    },
    quiet: sample('media_daemon_rtp_packets_lost_total', 'direction="out",kind="video"', rising(1)),
    labels: { instance, direction: 'out' },
    summary: '5% of the packets out of a:1 are lost.',
  },
  {
    alert: 'JoinsSlow',
    firing: slow('media_daemon_join_seconds', 5, 'session="new"'),
    quiet: sample('media_daemon_join_seconds_bucket', 'session="new",le="0.001"', rising(10)),
    labels: {},
    summary: 'One join in twenty takes longer than 4.722s.',
  },
  {
    alert: 'SignalingErrors',
    firing: sample('media_daemon_requests_total', 'method="produce",code="500"', rising(1)),
    quiet: sample('media_daemon_requests_total', 'method="produce",code="500"', still),
    labels: { instance, method: 'produce' },
    summary: 'produce fails on a:1.',
  },
  {
    alert: 'MediaDaemonFull',
    firing: sample('media_daemon_limited_total', 'limit="peers"', rising(1)),
    quiet: sample('media_daemon_limited_total', 'limit="peers"', still),
    labels: { instance },
    summary: 'a:1 has as many peers as it takes, and refuses others.',
  },
  {
    alert: 'DrainRunsOut',
    firing: {
      ...sample('media_daemon_peers', '', is(3)),
      ...sample('media_daemon_draining', '', is(1)),
      ...sample('media_daemon_drain_seconds_left', '', is(30)),
    },
    quiet: sample('media_daemon_drain_seconds_left', '', is(300)),
    labels: { instance },
    summary: 'a:1 is about to cut off 3 peers that have not moved.',
  },
];
