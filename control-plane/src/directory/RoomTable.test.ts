import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import { startTestBed, type TestBed } from '../testing/testControlPlane.ts';

const instance = { daemonId: 'daemon', shard: 'default#0', incarnation: 'first' };

describe('RoomTable', () => {
  let bed: TestBed;
  before(async () => {
    bed = await startTestBed();
  });
  after(() => bed.close());

  test('of several writers that saw the same record, one places the room', async () => {
    const seen = await bed.rooms.read('race');
    const placed = await Promise.all(Array.from({ length: 20 }, () => bed.rooms.place(seen, instance, '{}')));
    assert.equal(placed.filter((room) => room !== undefined).length, 1);
    assert.equal((await bed.rooms.read('race')).epoch, 1);
  });

  test('a tombstone keeps the epoch, also after its expiry until it is deleted', async () => {
    const seen = await bed.rooms.read('closed');
    assert.deepEqual([seen.epoch, seen.instances], [0, []]);
    await bed.rooms.place(seen, instance, '{}');
    assert.ok(await bed.rooms.close({ roomId: 'closed', epoch: 1, ...instance }));
    const tombstone = await bed.rooms.read('closed');
    assert.deepEqual([tombstone.epoch, tombstone.instances, tombstone.rtpCapabilities], [1, [], undefined]);
    const life = (tombstone.expiresAt ?? 0) * 1000 - Date.now();
    assert.ok(life > 3_500_000 && life <= 3_601_000, `it stays for ${life} ms`);

    mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 3_600_000 });
    const expired = await bed.rooms.read('closed').finally(() => mock.timers.reset());
    assert.equal((await bed.rooms.place(expired, instance, '{}'))?.epoch, 2);
  });

  test('a writer that saw a room before it was closed and created again does not overwrite it', async () => {
    const early = await bed.rooms.read('reopened');
    await bed.rooms.place(early, instance, '{}');
    await bed.rooms.close({ roomId: 'reopened', epoch: 1, ...instance });
    assert.equal(await bed.rooms.place(early, instance, '{}'), undefined);
    assert.equal((await bed.rooms.place(await bed.rooms.read('reopened'), instance, '{}'))?.epoch, 2);
    assert.equal(await bed.rooms.close({ roomId: 'reopened', epoch: 1, ...instance }), false);
  });
});
