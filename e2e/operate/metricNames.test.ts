import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { alertRules, dashboardQueries } from '../support/monitoring.ts';
import { readQuery } from '../support/promQl.ts';
import { Stack } from '../support/stack.ts';
import { waitForValue } from '../support/waitUntil.ts';

/** Prometheus adds these itself. */
const OWN_METRICS = ['up'];
const OWN_LABELS = ['instance', 'job'];

/** The series of a scrape: the names, and the labels of each. */
async function scrape(metricsPort: unknown): Promise<Map<string, Set<string>>> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const series = new Map<string, Set<string>>();
  const labelsOf = (name: string) => series.get(name) ?? series.set(name, new Set()).get(name);
  for (const line of text.split('\n')) {
    // A metric that has no series yet has its type.
    const [, declared, type] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
    if (declared)
      for (const end of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) labelsOf(declared + end);
    const [, name, labels = ''] = /^([a-z]\w*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name) for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) labelsOf(name)?.add(label);
  }
  return series;
}

test('every query of the dashboard and the alerts uses metrics and labels that the processes export', async (t) => {
  const stack = await Stack.start(t, { CONTROL_PLANE_WRONG_KEYS_PER_MINUTE: '1' });
  const ask = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer wrong' };
    const asked = { method: 'POST', headers, body: JSON.stringify(body) };
    return (await fetch(stack.controlPlaneUrl + path, asked)).status;
  };
  assert.equal(await ask('/rooms/room/assignments', { peerId: 'alice' }), 503, 'there is no daemon yet');
  const daemon = await stack.startDaemon('daemon', {
    MEDIA_DAEMON_MAX_ROOM_PEERS: '1',
    MEDIA_DAEMON_MEDIA_STATS_INTERVAL_MS: '100',
  });
  const alice = await SignalingClient.open(daemon.url, 'room', 'alice');
  await alice.request('joinRoom', { roomId: 'room', peerId: 'alice', transports: ['send'] });
  await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const bob = await SignalingClient.open(daemon.url, 'room', 'bob');
  assert.equal((await bob.ask('joinRoom', { roomId: 'room', peerId: 'bob' })).errorCode, 503);
  await (await SignalingClient.join(daemon.url, 'other', 'carol')).request('leaveRoom');
  assert.equal(await ask('/rooms/assigned/assignments', { peerId: 'dave' }), 201);
  assert.equal(await ask('/rooms/assigned/assignments', { peerId: 'dave', failedDaemonId: 'daemon' }), 201);
  for (const status of [401, 429]) assert.equal(await ask('/daemons/stranger/registrations', {}), status);
  const series = await waitForValue('packets are counted by kind', async () => {
    const all = new Map([...(await scrape(stack.ready.metricsPort)), ...(await scrape(daemon.ready.metricsPort))]);
    return all.get('media_daemon_rtp_packets_total')?.has('kind') ? all : undefined;
  });

  const queries = [
    ...dashboardQueries(),
    ...alertRules().map(({ alert, expr, annotations }) => ({ asker: alert, query: expr, told: annotations.summary })),
  ];
  assert.ok(queries.length > 50);
  for (const { asker, query, told } of queries) {
    const { metrics, labels } = readQuery(query);
    assert.ok(metrics.size > 0, asker);
    const known = new Set(OWN_LABELS);
    for (const metric of metrics) {
      if (OWN_METRICS.includes(metric)) continue;
      assert.ok(series.has(metric), `${asker}: no process has ${metric}`);
      for (const label of series.get(metric) ?? []) known.add(label);
    }
    for (const [, label = ''] of told.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)) labels.add(label);
    for (const label of labels) assert.ok(known.has(label), `${asker}: ${[...metrics]} have no label ${label}`);
  }
});
