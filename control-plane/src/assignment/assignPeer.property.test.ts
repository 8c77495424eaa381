import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import fc from 'fast-check';
import { type Daemon, noLoad, shardOf } from '../directory/Daemon.ts';
import { DaemonTable } from '../directory/DaemonTable.ts';
import { FleetCache } from '../directory/FleetCache.ts';
import { RoomTable } from '../directory/RoomTable.ts';
import { createMetrics } from '../metrics.ts';
import { daemonRow } from '../testing/daemonRow.ts';
import { MemoryStore } from '../testing/MemoryStore.ts';
import { logger } from '../testing/testControlPlane.ts';
import type { AssignmentClaims } from '../tokens/AssignmentKeys.ts';
import { assignPeer } from './assignPeer.ts';
import { claimRoom } from './claimRoom.ts';

/** How many histories are tried. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 100);

const grants = { publish: true, subscribe: true, data: true, admin: false };
const daemonIds = ['a', 'b', 'c'];
const CAPACITY = 3;

const room = fc.constantFrom('x', 'y', 'z');
const daemonId = fc.constantFrom(...daemonIds);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('assign' as const), room }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('assignAfterFailure' as const), room, daemonId }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('claim' as const), room, daemonId }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('close' as const), room, daemonId }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('beat', 'die', 'drain', 'restart'), daemonId }) },
);

test('no interleaving gives a room two owners or overfills a daemon', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 5, maxLength: 25 }), async (scheduler, steps) => {
      // Each use of the table waits for its turn, which the scheduler chooses.
      const store = new MemoryStore((operation) => scheduler.schedule(Promise.resolve()).then(operation));
      const parts = { client: store.client, metrics: createMetrics(), logger };
      const daemons = new DaemonTable(parts, '');
      const rooms = new RoomTable(parts, '');
      const dead = new Set<string>();
      const incarnations = new Map<string, string>();
      const directory = {
        rooms,
        daemons,
        fleet: new FleetCache(daemons),
        client: {
          createRoom: async () => ({ rtpCapabilities: '{}' }),
          moveRoom: async () => {},
          probe: async ({ daemonId: id, incarnation }: Pick<Daemon, 'daemonId' | 'incarnation'>) =>
            !dead.has(id) && incarnations.get(id) === incarnation,
        },
        suspectAfterMs: 6000,
        ice: { iceServers: [] },
        metrics: parts.metrics,
        logger,
      };
      const register = async (id: string) => {
        const seen = await daemons.find(id);
        const incarnation = randomUUID();
        const row = daemonRow(id, { incarnation, headroom: CAPACITY });
        if (!(await daemons.register(row, seen))) return;
        incarnations.set(id, incarnation);
        dead.delete(id);
      };
      /** The heartbeat of a daemon whose peers have not come yet. */
      const beat = (id: string, state: 'ready' | 'draining') => {
        const incarnation = incarnations.get(id) ?? '';
        const who = { shard: shardOf('region', id), daemonId: id, incarnation, secretHash: incarnation };
        return daemons.heartbeat(who, { state, load: noLoad, headroom: CAPACITY, assigned: 0 });
      };

      const owners = new Map<string, string>();
      const taken = new Map<string, number>();
      const own = (roomId: string, epoch: number, incarnation: string) => {
        const key = `${roomId} ${epoch}`;
        assert.equal(owners.get(key) ?? incarnation, incarnation, `two owners of ${key}`);
        owners.set(key, incarnation);
      };
      const keys = {
        sign: async ({ roomId, epoch, incarnation }: AssignmentClaims) => {
          own(roomId, epoch, incarnation);
          taken.set(incarnation, (taken.get(incarnation) ?? 0) + 1);
          return { token: '', expiresAt: new Date() };
        },
      };
      const run = async (each: (typeof steps)[number], index: number) => {
        try {
          switch (each.does) {
            case 'assign':
              await assignPeer({ roomId: each.room, peerId: `${index}`, grants }, directory, keys);
              break;
            case 'assignAfterFailure':
              await assignPeer(
                { roomId: each.room, peerId: `${index}`, grants, failedDaemonId: each.daemonId },
                directory,
                keys,
              );
              break;
            case 'claim': {
              const row = await daemons.find(each.daemonId);
              if (row?.state !== 'ready' || row.incarnation !== incarnations.get(each.daemonId)) break;
              const { granted, epoch } = await claimRoom(each.room, row, '{}', directory);
              if (granted) own(each.room, epoch, row.incarnation);
              break;
            }
            case 'close': {
              const incarnation = incarnations.get(each.daemonId) ?? '';
              const { epoch } = await rooms.read(each.room);
              await rooms.close({ roomId: each.room, epoch, daemonId: each.daemonId, incarnation });
              break;
            }
            case 'die':
              dead.add(each.daemonId);
              break;
            case 'restart':
              await register(each.daemonId);
              break;
            default:
              await beat(each.daemonId, each.does === 'drain' ? 'draining' : 'ready');
          }
        } catch (error) {
          // Refusals are right; anything else is not.
          if (!(error instanceof HttpProblem) || error.code === 'INTERNAL') throw error;
        }
      };
      const prepared = Promise.all(daemonIds.map(register));
      await scheduler.waitFor(prepared);
      await scheduler.waitFor(Promise.all(steps.map(run)));
      for (const [incarnation, count] of taken) assert.ok(count <= CAPACITY, `${count} peers on ${incarnation}`);
    }),
    { numRuns: RUNS },
  );
});
