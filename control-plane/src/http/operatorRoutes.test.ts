import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type DaemonList,
  daemonListSchema,
  type RoomInstances,
  type RoomList,
  roomInstancesSchema,
  roomListSchema,
} from '@mediasoup-server/proto/http';
import type { TestDaemon } from '../testing/TestDaemon.ts';
import { DAEMON_KEY, problemOf, startTestBed, type TestBed } from '../testing/testControlPlane.ts';

describe("the operators' lists", () => {
  let bed: TestBed;
  let daemon: TestDaemon;
  const roomIds = Array.from({ length: 23 }, (_, number) => `会議 ${number}`);
  const daemonIds = ['daemon', 'east', 'west', 'south'];

  before(async () => {
    bed = await startTestBed();
    for (const daemonId of daemonIds) {
      const one = await bed.daemon(daemonId);
      one.region = `region of ${daemonId}`;
      await one.join(bed.url, DAEMON_KEY, { headroom: 42 });
      daemon ??= one;
    }
    for (const roomId of roomIds) await daemon.claim(bed.url, roomId);
  });
  after(() => bed.close());

  const get = (path: string) => fetch(bed.url + path);
  /** Every page, from the first on. */
  async function pages<T extends { cursor?: string | undefined }>(path: string, limit: number): Promise<T[]> {
    const all: T[] = [];
    let cursor: string | undefined;
    do {
      const answer = await get(`${path}?limit=${limit}${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      assert.equal(answer.status, 200);
      const page = (await answer.json()) as T;
      all.push(page);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return all;
  }

  test('GET /daemons answers every daemon of every region, and no secret', async () => {
    const answer = await get('/daemons');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const text = await answer.text();
    const { daemons, cursor } = daemonListSchema.parse(JSON.parse(text));
    assert.deepEqual(daemons.map(({ daemonId }) => daemonId).sort(), [...daemonIds].sort());
    assert.equal(cursor, undefined);
    const row = await bed.daemons.find('daemon');
    assert.ok(row);
    assert.deepEqual(
      daemons.find(({ daemonId }) => daemonId === 'daemon'),
      {
        daemonId: 'daemon',
        incarnation: daemon.incarnation,
        state: 'ready',
        region: 'region of daemon',
        zone: 'a',
        url: daemon.url,
        grpcAddress: daemon.grpcAddress,
        version: '0.1.0',
        load: row.load,
        headroom: 42,
        heartbeatAt: new Date(row.heartbeatAt).toISOString(),
      },
    );
    assert.doesNotMatch(text, /secret|shard/i);
    assert.ok(!text.includes(row.secretHash));
  });

  test('GET /daemons and GET /rooms page by page answer each item once', async () => {
    for (const limit of [1, 2, 3, 1000]) {
      const found = (await pages<DaemonList>('/daemons', limit)).map(({ daemons }) => daemons);
      assert.ok(found.every((page) => page.length <= limit));
      assert.deepEqual(found.flatMap((page) => page.map(({ daemonId }) => daemonId)).sort(), [...daemonIds].sort());
    }
    for (const limit of [1, 7, 23, 1000]) {
      const found = (await pages<RoomList>('/rooms', limit)).map(({ rooms }) => rooms);
      assert.ok(found.every((page) => page.length <= limit));
      assert.deepEqual(found.flatMap((page) => page.map(({ roomId }) => roomId)).sort(), [...roomIds].sort());
    }
  });

  test('GET /rooms answers epoch, instances and times', async () => {
    const { rooms } = roomListSchema.parse(await (await get('/rooms')).json());
    const [row, info] = [await bed.rooms.read('会議 7'), rooms.find(({ roomId }) => roomId === '会議 7')];
    assert.deepEqual(info, {
      roomId: '会議 7',
      epoch: 1,
      instances: [{ daemonId: 'daemon', incarnation: daemon.incarnation }],
      createdAt: new Date(row.createdAt).toISOString(),
      updatedAt: new Date(row.updatedAt).toISOString(),
    });
  });

  test('GET /rooms skips closed rooms, of which any number may lie between', async () => {
    const { incarnation } = daemon;
    const closed = Array.from({ length: 40 }, (_, number) => `closed ${number}`);
    for (const roomId of closed) {
      await daemon.claim(bed.url, roomId);
      assert.ok(await bed.rooms.close({ roomId, epoch: 1, daemonId: 'daemon', incarnation }));
    }
    for (const limit of [1, 10, 100]) {
      const found = (await pages<RoomList>('/rooms', limit)).flatMap(({ rooms }) => rooms);
      assert.deepEqual(found.map(({ roomId }) => roomId).sort(), [...roomIds].sort());
    }
    assert.equal((await problemOf(await get('/rooms/closed%200/instances'))).code, 'ROOM_NOT_FOUND');
  });

  test('GET /rooms/:roomId/instances answers where the room is, with its daemon while that lives', async () => {
    const read = async () =>
      roomInstancesSchema.parse(await (await get(`/rooms/${encodeURIComponent('will move')}/instances`)).json());
    const west = await bed.daemon('moving');
    await west.join(bed.url, DAEMON_KEY);
    await west.claim(bed.url, 'will move');
    const { roomId, epoch, instances }: RoomInstances = await read();
    assert.deepEqual([roomId, epoch, instances.length], ['will move', 1, 1]);
    assert.equal(instances[0]?.daemon?.grpcAddress, west.grpcAddress);
    assert.equal((await west.deregister(bed.url)).status, 204);
    assert.deepEqual((await read()).instances, [{ daemonId: 'moving', incarnation: west.incarnation }]);
  });

  test('GET /rooms/:roomId/instances of an unknown room answers 404 ROOM_NOT_FOUND', async () => {
    assert.equal((await problemOf(await get('/rooms/nobody/instances'))).code, 'ROOM_NOT_FOUND');
  });

  const cursor = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');
  for (const [query, names] of [
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=many', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=', 'cursor'],
    ['cursor=nonsense', 'cursor'],
    ['cursor=a&cursor=b', 'cursor'],
    [`cursor=${cursor(null)}`, 'cursor'],
    [`cursor=${cursor({})}`, 'cursor'],
    [`cursor=${cursor({ roomId: '' })}`, 'cursor'],
    [`cursor=${cursor({ roomId: 'x'.repeat(3000) })}`, 'cursor'],
    [`cursor=${cursor({ roomId: 'a', more: 'b' })}`, 'cursor'],
    [`cursor=${cursor({ roomId: { S: 'a' } })}`, 'cursor'],
    [`cursor=${cursor({ shard: 'regions', daemonId: 'a' })}`, 'cursor'],
    [`cursor=${cursor({ shard: 'r#1', daemonId: '' })}`, 'cursor'],
    [`cursor=${'x'.repeat(5000)}`, 'cursor'],
    ['colour=red', 'colour'],
  ] as const) {
    test(`?${query.slice(0, 60)} answers 400 that names ${names}`, async () => {
      for (const path of ['/daemons', '/rooms']) {
        const { status, code, detail } = await problemOf(await get(`${path}?${query}`));
        assert.deepEqual([status, code], [400, 'INVALID_REQUEST'], path);
        assert.match(detail ?? '', new RegExp(names));
      }
    });
  }

  test('a cursor of a deleted item continues after its position', async () => {
    const gone = { daemons: cursor({ shard: 'r#1', daemonId: 'nobody' }), rooms: cursor({ roomId: 'nobody' }) };
    for (const [list, from] of Object.entries(gone)) assert.equal((await get(`/${list}?cursor=${from}`)).status, 200);
  });
});
