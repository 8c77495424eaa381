import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonInfo, RoomInstances } from '@mediasoup-server/proto/http';
import { explainPlacement } from './explainPlacement.ts';

const now = 1_700_000_000_000;
const options = { suspectAfterMs: 6000, now };
const noLoad = { rooms: 0, peers: 0, producers: 0, consumers: 0, workerCpu: 0, eventLoopDelayMs: 0, network: 0 };

function daemon(daemonId: string, change: Partial<DaemonInfo> & { ageMs?: number } = {}): DaemonInfo {
  const { ageMs = 1000, ...changed } = change;
  return {
    daemonId,
    incarnation: `${daemonId} 1`,
    state: 'ready',
    region: 'r',
    zone: 'z',
    url: 'wss://media.example.com',
    grpcAddress: 'media.example.com:50051',
    version: '1',
    load: noLoad,
    headroom: 100,
    // Of the real time, since the order of asking has its own clock.
    heartbeatAt: new Date(Date.now() - ageMs).toISOString(),
    ...changed,
  };
}

const explain = (room: RoomInstances | undefined, daemons: readonly DaemonInfo[], region?: string) =>
  explainPlacement('lobby', room, daemons, { ...options, now: Date.now(), region });

const roomOn = (one: DaemonInfo | undefined): RoomInstances => ({
  roomId: 'lobby',
  epoch: 3,
  instances: [{ daemonId: 'a', incarnation: 'a 1', ...(one && { daemon: one }) }],
  createdAt: new Date(now).toISOString(),
  updatedAt: new Date(now).toISOString(),
});

test('`explainPlacement` of a room without a daemon ranks all able daemons and names the first', async () => {
  const fleet = Array.from({ length: 5 }, (_, index) => daemon(`d${index}`));
  for (const roomId of ['lobby', 'café', 'vault', 'attic']) {
    const { candidates, why, stays } = await explainPlacement(roomId, undefined, fleet, {
      ...options,
      now: Date.now(),
    });
    assert.equal(stays, false);
    assert.equal(candidates.length, fleet.length);
    assert.deepEqual(
      candidates.map(({ rank }) => rank),
      [1, 2, 3, 4, 5],
    );
    assert.match(why, new RegExp(`^nobody has the room; the next peer has it placed on ${candidates[0]?.daemonId}$`));
  }
});

for (const [what, one, why, stays] of [
  ['that is well', daemon('a'), /a has it and is well/, true],
  ['that is full', daemon('a', { headroom: 0 }), /is full: new peers get ROOM_FULL/, true],
  ['that is silent', daemon('a', { ageMs: 7000 }), /is silent; the next peer has it probed/, true],
  ['that drains', daemon('a', { state: 'draining' }), /a drains; the next peer has it placed on b/, false],
  ['that was declared dead', daemon('a', { state: 'lost' }), /declared dead; the next peer has it placed on b/, false],
  ['that is gone', undefined, /has ended or started anew; the next peer has it placed on b/, false],
] as const) {
  test(`\`explainPlacement\` of a room on a daemon ${what} says so`, async () => {
    const explained = await explain(roomOn(one), one ? [one, daemon('b')] : [daemon('b')]);
    assert.match(explained.why, why);
    assert.deepEqual([explained.stays, explained.epoch, explained.daemonId], [stays, 3, 'a']);
  });
}

test('`explainPlacement` says of every daemon that gets no room why, and puts the asked region first', async () => {
  const fleet = [
    daemon('draining', { state: 'draining' }),
    daemon('lost', { state: 'lost' }),
    daemon('full', { headroom: 0 }),
    daemon('silent', { ageMs: 60_000 }),
    daemon('far', { region: 'far' }),
    daemon('near'),
  ];
  const { candidates } = await explain(undefined, fleet, 'far');
  assert.deepEqual(
    candidates.map(({ daemonId, rank }) => [daemonId, rank]),
    [
      ['far', 1],
      ['near', 2],
      ['draining', undefined],
      ['full', undefined],
      ['lost', undefined],
      ['silent', undefined],
    ],
  );
  for (const [index, why] of [
    /would get the room/,
    /if those before it fail/,
    /drains/,
    /full/,
    /dead/,
    /silent/,
  ].entries())
    assert.match(candidates[index]?.why ?? '', why);
});

test('`explainPlacement` without an able daemon says that no daemon can take the room', async () => {
  assert.match((await explain(undefined, [])).why, /finds no daemon that takes it/);
});
