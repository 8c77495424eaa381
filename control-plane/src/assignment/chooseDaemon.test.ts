import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Daemon, loadOf, noLoad } from '../directory/Daemon.ts';
import { daemonRow } from '../testing/daemonRow.ts';
import { chooseDaemon } from './chooseDaemon.ts';

const NOW = 1_000_000;
const policy = { suspectAfterMs: 6000 };

const daemon = (daemonId: string, change: Partial<Daemon> = {}) => daemonRow(daemonId, { heartbeatAt: NOW, ...change });

const anyDaemon = (daemonId: string): Daemon =>
  daemon(daemonId, {
    state: (['ready', 'ready', 'ready', 'draining', 'lost'] as const)[randomInt(5)] ?? 'ready',
    headroom: randomInt(3),
    heartbeatAt: NOW - randomInt(9000),
    load: { ...noLoad, workerCpu: Math.random() },
  });

describe('chooseDaemon', () => {
  test('without daemons names none', () => {
    assert.equal(chooseDaemon('room', [], NOW, policy), undefined);
  });

  test('never names a daemon that is not ready, stale or full, and names one whenever there is one', () => {
    for (let run = 0; run < 2000; run++) {
      const daemons = Array.from({ length: randomInt(6) }, (_, number) => anyDaemon(`d${number}`));
      const fit = daemons.filter((d) => d.state === 'ready' && d.headroom > 0 && NOW - d.heartbeatAt <= 6000);
      const placed = chooseDaemon(`room ${run}`, daemons, NOW, policy);
      assert.equal(placed !== undefined, fit.length > 0, JSON.stringify(daemons));
      if (placed) assert.ok(fit.includes(placed), JSON.stringify({ placed, daemons }));
    }
  });

  test('names the same daemon whatever the order in which the daemons were read', () => {
    for (let run = 0; run < 500; run++) {
      const daemons = Array.from({ length: 8 }, (_, number) => anyDaemon(`d${number}`));
      const shuffled = daemons.toSorted(() => Math.random() - 0.5);
      assert.equal(
        chooseDaemon(`room ${run}`, daemons, NOW, policy),
        chooseDaemon(`room ${run}`, shuffled, NOW, policy),
      );
    }
  });

  test('of the two highest names the less loaded one', () => {
    const a = daemon('a', { load: { ...noLoad, workerCpu: 0.9 } });
    const b = daemon('b', { load: { ...noLoad, workerCpu: 0.1 } });
    for (let room = 0; room < 50; room++) assert.equal(chooseDaemon(`room ${room}`, [a, b], NOW, policy), b);
  });

  test('a daemon that leaves moves only the rooms that had it among their two highest', () => {
    const daemons = Array.from({ length: 10 }, (_, number) => daemon(`d${number}`));
    const rooms = Array.from({ length: 1000 }, (_, number) => `room ${number}`);
    const moved = rooms.filter((room) => {
      const before = chooseDaemon(room, daemons, NOW, policy);
      return before?.daemonId !== 'd3' && chooseDaemon(room, daemons.toSpliced(3, 1), NOW, policy) !== before;
    });
    assert.deepEqual(moved, []);
  });

  test('spreads rooms over daemons of equal load', () => {
    const daemons = Array.from({ length: 4 }, (_, number) => daemon(`d${number}`));
    const placed = Array.from(
      { length: 4000 },
      (_, room) => chooseDaemon(`room ${room}`, daemons, NOW, policy)?.daemonId,
    );
    for (const { daemonId } of daemons) {
      const share = placed.filter((id) => id === daemonId).length / placed.length;
      assert.ok(share > 0.2 && share < 0.3, `${daemonId} has ${share}`);
    }
  });
});

describe('loadOf', () => {
  test('is the worst of the dimensions', () => {
    assert.equal(loadOf({ load: { ...noLoad, workerCpu: 0.4, peers: 10 }, headroom: 90 }), 0.4);
    assert.equal(loadOf({ load: { ...noLoad, workerCpu: 0.4, peers: 60 }, headroom: 40 }), 0.6);
    assert.equal(loadOf({ load: { ...noLoad, workerCpu: 0.4, network: 0.7 }, headroom: 40 }), 0.7);
    assert.equal(loadOf({ load: { ...noLoad, workerCpu: 0.4, eventLoopDelayMs: 80 }, headroom: 40 }), 0.8);
  });
});
