import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { fleet, SECRET } from '../../e2e/support/fleet.ts';
import { waitUntil } from '../../e2e/support/waitUntil.ts';
import { Load } from './Load.ts';
import { readRecording } from './recording.ts';
import { shortfalls, summarize } from './summary.ts';

const least = async () => ({
  ...{ rooms: 1, publishers: 1, subscribers: 1, audio: true, fps: 0, joinsPerSecond: 1000 },
  recording: await readRecording(),
  joined: () => {},
});

test('publishers send to all subscribers of their rooms, and the packets are counted', async (t) => {
  const { url } = await testDaemon(t);
  let joined = 0;
  const peers = { rooms: 2, publishers: 2, subscribers: 2, fps: 30, joined: () => joined++ };
  const load = new Load({ ...(await least()), ...peers, target: { url } });
  t.after(() => load.close());
  await load.open();
  await load.grow(1);
  assert.equal(joined, 10);
  const isEnough = () => load.reports.every(({ received }) => received > 100);
  await waitUntil('each subscriber has 100 packets', isEnough, () => load.reports.map(({ received }) => received));
  assert.equal(load.cutOff, 0);
  const { subscribers, streams, silent, lost, duplicates, outOfOrder } = summarize(load.reports, [], 1);
  assert.deepEqual(
    { subscribers, streams, silent, lost, duplicates, outOfOrder },
    { subscribers: 6, streams: 24, silent: 0, lost: 0, duplicates: 0, outOfOrder: 0 },
  );
});

test('peers that cannot join are counted and reported, and the others receive', async (t) => {
  const { url } = await testDaemon(t, { MEDIA_DAEMON_MAX_ROOM_PEERS: '3' });
  const load = new Load({ ...(await least()), target: { url }, subscribers: 20 });
  t.after(() => load.close());
  await load.open();
  assert.equal(load.subscribers, 2);
  assert.deepEqual(
    load.refused.map(({ peer }) => peer),
    [2, 3, 4, 5, 6].map((index) => `subscriber-${index}`),
  );
  assert.match(load.refused[0]?.why ?? '', /^joinRoom: \d+ ROOM_FULL: /);
  assert.equal(summarize(load.reports, [], 1).silent, 0);
});

test('a control plane in mode jwt accepts tokens of its own secret, and a wrong secret is reported', async (t) => {
  const { stack } = await fleet(t, 1);
  const loadWith = async (url: string, tokenSecret?: string) => {
    const load = new Load({ ...(await least()), target: { url, tokenSecret } });
    t.after(() => load.close());
    await load.open();
    return summarize(load.reports, [], 1);
  };
  const url = stack.controlPlaneUrl;
  const { subscribers, silent } = await loadWith(url, SECRET);
  assert.deepEqual([subscribers, silent], [1, 0]);
  await assert.rejects(loadWith(url, `${SECRET}, but another`), /publisher-0 could not join: no assignment: 401/);
  await assert.rejects(loadWith(url), /no assignment: 401/);
  await assert.rejects(loadWith(`${url}/elsewhere`, SECRET), /no assignment: 404/);
  await assert.rejects(loadWith('ws://127.0.0.1:1'), /ECONNREFUSED/);
});

test('`shortfalls` lists what was not received in full', () => {
  const whole = { ...summarize([], [], 1), subscribers: 10, packetsPerSecond: 960 };
  assert.deepEqual(shortfalls(whole, 1000, 0), []);
  const lacking = { ...whole, lost: 3, silent: 2, stalled: 1, packetsPerSecond: 900 };
  const told = shortfalls(lacking, 1000, 4);
  assert.deepEqual(
    told.map((shortfall) => shortfall.match(/\d+/g)?.map(Number)),
    [[4], [2], [1], [3], [900, 1000]],
  );
});
