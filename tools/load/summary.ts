import type { SubscriberReport } from './Load.ts';

/** The measurements of all subscribers, summed. */
export type Summary = {
  readonly subscribers: number;
  readonly streams: number;
  /** Streams without a packet. */
  readonly silent: number;
  /** Subscribers that received nothing during the measurement. */
  readonly stalled: number;
  readonly received: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** During the measurement. */
  readonly packetsPerSecond: number;
  readonly megabitsPerSecond: number;
  readonly jitterMs: Spread;
  readonly firstPacketMs: Spread;
};

type Spread = { readonly p50: number; readonly p99: number; readonly max: number };

/** @param seconds the length of the measurement. */
export function summarize(
  reports: readonly SubscriberReport[],
  before: readonly SubscriberReport[],
  seconds: number,
): Summary {
  const sum = (of: readonly SubscriberReport[], count: (report: SubscriberReport) => number) =>
    of.reduce((total, report) => total + count(report), 0);
  const since = (count: (report: SubscriberReport) => number) => sum(reports, count) - sum(before, count);
  const already = new Map(before.map(({ room, subscriber, received }) => [`${room} ${subscriber}`, received]));
  return {
    subscribers: reports.length,
    streams: sum(reports, ({ streams }) => streams),
    silent: sum(reports, ({ silent }) => silent),
    stalled: reports.filter(
      ({ room, subscriber, received }) => received === (already.get(`${room} ${subscriber}`) ?? 0),
    ).length,
    received: sum(reports, ({ received }) => received),
    lost: sum(reports, ({ lost }) => lost),
    duplicates: sum(reports, ({ duplicates }) => duplicates),
    outOfOrder: sum(reports, ({ outOfOrder }) => outOfOrder),
    packetsPerSecond: since(({ received }) => received) / seconds,
    megabitsPerSecond: (since(({ bytes }) => bytes) * 8) / 1e6 / seconds,
    jitterMs: spread(reports.map(({ jitterMs }) => jitterMs)),
    firstPacketMs: spread(reports.flatMap(({ firstPacketMs }) => firstPacketMs ?? [])),
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (quantile: number) => sorted[Math.floor((sorted.length - 1) * quantile)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** The share of the expected packets that must arrive. Requested key frames make the rate vary. */
const LEAST_RATE = 0.95;

/**
 * What the subscribers did not receive in full, a phrase each; empty when they received everything.
 *
 * @param cutOff the number of peers that lost their sockets.
 */
export function shortfalls(summary: Summary, duePerSecond: number, cutOff: number): string[] {
  const { lost, silent, stalled, packetsPerSecond } = summary;
  return [
    cutOff > 0 && `${cutOff} peers lost their sockets, since this machine or the daemon's is too slow to answer pings`,
    silent > 0 && `nothing came of ${silent} streams`,
    stalled > 0 && `nothing came any more to ${stalled}`,
    lost > 0 && `${lost} packets were lost`,
    // When this machine is too slow for the senders, too little is sent and nothing is lost.
    packetsPerSecond < LEAST_RATE * duePerSecond &&
      `${packetsPerSecond.toFixed(0)} packets a second came of ${duePerSecond.toFixed(0)} that were due`,
  ].filter((shortfall) => typeof shortfall === 'string');
}

/** The packets and megabits a second of one subscriber. */
export function rate({ subscribers, packetsPerSecond, megabitsPerSecond }: Summary): string {
  const of = (total: number, digits: number) => (total / Math.max(subscribers, 1)).toFixed(digits);
  return `${of(packetsPerSecond, 1)} packets a second, ${of(megabitsPerSecond, 2)} megabits`;
}

/** The summary as a table, with the expected packets a second. */
export function table(summary: Summary, duePerSecond: number): string {
  const spreadOf = ({ p50, p99, max }: Spread) => `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)}`;
  const rows: [string, string][] = [
    ['subscribers', `${summary.subscribers}, ${summary.streams} streams, of which silent ${summary.silent}`],
    ['subscribers that stalled', `${summary.stalled}`],
    ['packets received', `${summary.received}`],
    ['packets lost', `${summary.lost}`],
    ['packets twice', `${summary.duplicates}`],
    ['packets out of order', `${summary.outOfOrder}`],
    ['packets a second', `${summary.packetsPerSecond.toFixed(0)} of ${duePerSecond.toFixed(0)} that are due`],
    ['megabits a second', summary.megabitsPerSecond.toFixed(1)],
    ['of each subscriber', rate(summary)],
    ['jitter, ms', spreadOf(summary.jitterMs)],
    ['resume to first packet, ms', spreadOf(summary.firstPacketMs)],
  ];
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`), ''].join('\n');
}
