import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { assignmentSchema } from '@mediasoup-server/proto/http';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { shardOf } from '../directory/Daemon.ts';
import type { TestDaemon } from '../testing/TestDaemon.ts';
import {
  assignmentOf,
  claimOf,
  DAEMON_KEY,
  heartbeatAnswerOf,
  problemOf,
  startTestBed,
  type TestBed,
} from '../testing/testControlPlane.ts';

describe('POST /rooms/:roomId/assignments', () => {
  let bed: TestBed;
  let first: TestDaemon;
  let second: TestDaemon;
  let number = 0;
  let roomId: string;

  before(async () => {
    bed = await startTestBed();
    first = await bed.daemon('first');
    second = await bed.daemon('second');
  });
  after(() => bed.close());
  beforeEach(async () => {
    roomId = `room ${++number} ä/&?`;
    for (const daemon of [first, second]) {
      daemon.refusal = undefined;
      // What a probe found out is kept for a second, of each incarnation.
      daemon.incarnation = randomUUID();
      await daemon.join(bed.url, DAEMON_KEY);
    }
  });

  const byId = (daemonId: string) => (daemonId === first.daemonId ? first : second);
  const other = (daemonId: string) => (daemonId === first.daemonId ? second : first);

  /** How often the control plane has used each table in each way. */
  async function tableOperations(): Promise<Map<string, number>> {
    const text = await (await fetch(`http://127.0.0.1:${bed.controlPlane.metricsPort}/metrics`)).text();
    const lines = text.matchAll(/^control_plane_table_operations_total\{table="(\w+)",operation="(\w+)",.*\} (\d+)$/gm);
    const counts = new Map<string, number>();
    for (const [, table, operation, count] of lines) {
      const what = `${table} ${operation}`;
      counts.set(what, (counts.get(what) ?? 0) + Number(count));
    }
    return counts;
  }

  /**
   * Asks again where a busy machine, on which everything here shares one process, kept the store or the daemons from
   * answering in time: that is no race.
   */
  async function assignPatiently(...asked: Parameters<TestBed['assign']>): Promise<Response> {
    for (;;) {
      const answer = await bed.assign(...asked);
      if (answer.status !== 503) return answer;
      const { code, detail } = await problemOf(answer.clone());
      if (code !== 'NO_CAPACITY' && detail !== 'the directory cannot be reached') return answer;
    }
  }

  /** Makes a daemon's last heartbeat old. */
  async function silence(daemon: TestDaemon) {
    const row = await bed.daemons.find(daemon.daemonId);
    assert.ok(row);
    assert.ok(await bed.daemons.register({ ...row, heartbeatAt: Date.now() - 60_000 }, row));
  }

  test('makes a new room on a daemon and answers with the URL and a token that the JWKS proves', async () => {
    const answer = await bed.assign(roomId, { peerId: 'peer ü&=' });
    assert.equal(answer.status, 201);
    const assignment = assignmentSchema.parse(await answer.json());
    const daemon = byId(assignment.daemonId);
    assert.equal(daemon.created.get(roomId), 1);

    const url = new URL(assignment.url);
    assert.equal(`${url.protocol}//${url.host}${url.pathname}`, `${daemon.url}/`);
    assert.deepEqual([...url.searchParams], Object.entries({ roomId, peerId: 'peer ü&=', token: assignment.token }));

    const jwks = (await (await fetch(`${bed.url}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(assignment.token, createLocalJWKSet(jwks), {
      audience: 'media-daemon',
      issuer: 'control-plane',
      typ: 'assignment+jwt',
      algorithms: ['EdDSA'],
    });
    const { iat = 0, exp = 0, ...claims } = payload;
    assert.equal(exp - iat, 60);
    assert.equal(assignment.expiresAt, new Date(exp * 1000).toISOString());
    assert.equal(protectedHeader.kid, jwks.keys[0]?.kid);
    assert.deepEqual(claims, {
      iss: 'control-plane',
      aud: 'media-daemon',
      roomId,
      peerId: 'peer ü&=',
      daemonId: daemon.daemonId,
      incarnation: daemon.incarnation,
      epoch: 1,
      grants: { publish: true, subscribe: true, data: true, admin: false },
    });
  });

  test('a peer that was removed for a time gets no assignment, wherever the room moves', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId, { peerId: 'alice' }));
    const owner = byId(daemonId);
    const kick = (refuseFor: string) =>
      owner.heartbeat(bed.url, { removedPeers: [{ roomId, peerId: 'mallory', refuseFor }] });
    assert.equal((await kick('3600s')).status, 200);
    const refused = await bed.assign(roomId, { peerId: 'mallory' });
    assert.match(refused.headers.get('retry-after') ?? '', /^3(600|59\d)$/);
    assert.equal((await problemOf(refused)).code, 'FORBIDDEN');
    await other(daemonId).heartbeat(bed.url, { removedPeers: [{ roomId, peerId: 'alice', refuseFor: '3600s' }] });
    assert.equal(
      (await bed.assign(roomId, { peerId: 'alice' })).status,
      201,
      'who does not have the room refuses nobody',
    );
    await owner.heartbeat(bed.url, { state: 'DAEMON_STATE_DRAINING' });
    assert.notEqual((await assignmentOf(await bed.assign(roomId, { peerId: 'alice' }))).daemonId, daemonId);
    assert.equal((await bed.assign(roomId, { peerId: 'mallory' })).status, 403, 'the room has moved');
  });

  test('a refusal ends with its time, and outlives the room', async () => {
    const { daemonId, epoch } = await assignmentOf(await bed.assign(roomId, { peerId: 'alice' }));
    const owner = byId(daemonId);
    const removedPeers = [
      { roomId, peerId: 'mallory', refuseFor: '3600s' },
      { roomId, peerId: 'bob', refuseFor: '0.001s' },
    ];
    const closedRooms = [{ roomId, epoch: String(epoch) }];
    const { raised } = await heartbeatAnswerOf(await owner.heartbeat(bed.url, { removedPeers, closedRooms }));
    assert.deepEqual(raised, [{ roomId, epoch: String(epoch + 1) }], 'assignments of before are told by their epoch');
    const { instances, epoch: left } = await bed.rooms.read(roomId);
    assert.deepEqual({ instances, left }, { instances: [], left: epoch + 1 }, 'and the room is closed nevertheless');
    assert.equal((await bed.assign(roomId, { peerId: 'bob' })).status, 201);
    assert.equal((await bed.assign(roomId, { peerId: 'mallory' })).status, 403);
  });

  test('returns the configured STUN and TURN servers', async () => {
    const iceServers = [{ urls: ['turn:turn.example.com'], username: 'u', credential: 'c' }];
    const { url } = await bed.another({ iceServers });
    assert.deepEqual((await assignmentOf(await bed.assign(roomId, { peerId: 'p' }, url))).iceServers, iceServers);
  });

  test('sends every further peer to the daemon that has the room', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    for (const peerId of ['b', 'c', 'd']) {
      const next = await assignmentOf(await bed.assign(roomId, { peerId }));
      assert.deepEqual([next.daemonId, next.epoch], [daemonId, 1]);
    }
  });

  test('200 at once through two control planes name one daemon and one epoch', async () => {
    const another = await bed.another();
    const urls = [bed.url, another.url];
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, peer) => {
        // The loads change meanwhile, so that the assigners do not all prefer the same daemon.
        if (peer % 20 === 0) {
          const load = { workerCpu: Math.random() };
          await Promise.all([first, second].map((daemon) => daemon.heartbeat(bed.url, { load })));
        }
        return assignPatiently(roomId, { peerId: `peer ${peer}` }, urls[peer % 2]);
      }),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
    const assignments = await Promise.all(answers.map(assignmentOf));
    assert.equal(new Set(assignments.map(({ daemonId, epoch }) => `${daemonId} ${epoch}`)).size, 1);
    assert.equal(assignments[0]?.epoch, 1);
    const jwks = await Promise.all(urls.map(async (url) => (await fetch(`${url}/.well-known/jwks.json`)).text()));
    assert.equal(jwks[0], jwks[1]);
  });

  test('claims and assignments that race name one owner', async () => {
    const answers = Promise.all(Array.from({ length: 30 }, (_, peer) => bed.assign(roomId, { peerId: `p${peer}` })));
    const claims = await Promise.all(
      [first, second].map(async (daemon) => claimOf(await daemon.claim(bed.url, roomId))),
    );
    const owners = new Set([
      ...(await Promise.all((await answers).map(assignmentOf))).map(({ daemonId }) => daemonId),
      ...claims.map(({ daemonId }) => daemonId),
    ]);
    assert.equal(owners.size, 1);
    assert.ok(claims.filter(({ granted }) => granted).length <= 1);
  });

  test('tries the next daemon when one does not make the room', async () => {
    const probe = await assignmentOf(await bed.assign(roomId));
    const preferred = byId(probe.daemonId);
    // A tombstone makes the room new again, and the same daemon is preferred.
    await bed.rooms.close({ roomId, epoch: 1, daemonId: preferred.daemonId, incarnation: preferred.incarnation });
    preferred.refusal = 'broken';
    const { daemonId, epoch } = await assignmentOf(await bed.assign(roomId));
    assert.deepEqual([daemonId, epoch], [other(preferred.daemonId).daemonId, 2]);
  });

  test('when no daemon makes the room answers 503 NO_CAPACITY with Retry-After', async () => {
    first.refusal = second.refusal = 'broken';
    const answer = await bed.assign(roomId);
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    assert.deepEqual(await problemOf(answer), { status: 503, code: 'NO_CAPACITY' });
  });

  test('answers 503 ROOM_FULL with Retry-After when the daemon of the room is full', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    await byId(daemonId).heartbeat(bed.url, { headroom: 0 });
    const answer = await bed.assign(roomId, { peerId: 'another' });
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    assert.deepEqual(await problemOf(answer), { status: 503, code: 'ROOM_FULL' });
  });

  test('an assignment to an existing room takes one read and one update of the tables, and no command', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    byId(daemonId).created.clear();
    const before = await tableOperations();
    await bed.assign(roomId, { peerId: 'second' });
    const after = await tableOperations();
    const made = [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)]).filter(([, more]) => more);
    assert.deepEqual(Object.fromEntries(made), { 'rooms get': 1, 'daemons update': 1 });
    assert.equal(byId(daemonId).created.size, 0);
  });

  test('each peer has a reservation until a heartbeat releases it', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    const daemon = byId(daemonId);
    await daemon.heartbeat(bed.url);
    await daemon.heartbeat(bed.url, { headroom: 2 });
    let peers = 0;
    const assignAnother = () => bed.assign(roomId, { peerId: `${++peers}` });
    for (const status of [201, 201, 503]) assert.equal((await assignAnother()).status, status);
    // What the daemon has not yet heard of is left out whatever it says.
    const unaware = daemon.assigned;
    await daemon.heartbeat(bed.url, { headroom: 2, assigned: unaware });
    assert.equal((await assignAnother()).status, 503);
    await daemon.heartbeat(bed.url, { headroom: 1 });
    for (const status of [201, 503]) assert.equal((await assignAnother()).status, status);
  });

  test('a peer that asks again and again has one reservation, through any control plane', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId, { peerId: 'alice' }));
    const daemon = byId(daemonId);
    const counted = async () => {
      await daemon.heartbeat(bed.url, { headroom: 2 });
      return Number(daemon.assigned);
    };
    const start = await counted();
    await daemon.heartbeat(bed.url, { headroom: 2 });
    const another = await bed.another();
    for (let time = 0; time < 10; time++) {
      const urls = [bed.url, another.url, bed.url];
      const answers = await Promise.all(urls.map((url) => bed.assign(roomId, { peerId: 'bob' }, url)));
      for (const { status } of answers) assert.equal(status, 201);
    }
    assert.equal((await bed.assign(roomId, { peerId: 'bob', failedDaemonId: daemonId })).status, 201);
    assert.equal((await bed.assign(roomId, { peerId: 'carol' })).status, 201);
    assert.equal((await problemOf(await bed.assign(roomId, { peerId: 'dave' }))).code, 'ROOM_FULL');
    assert.equal((await bed.assign(roomId, { peerId: 'bob' })).status, 201, 'which it keeps while the daemon is full');
    assert.equal((await counted()) - start, 2);
  });

  test('a repeated assignment takes two reads and one refused update of the tables', async () => {
    await bed.assign(roomId, { peerId: 'alice' });
    for (let time = 0; time < 3; time++) {
      const before = await tableOperations();
      await bed.assign(roomId, { peerId: 'alice' });
      const after = await tableOperations();
      const made = [...after].map(([what, n]) => [what, n - (before.get(what) ?? 0)]).filter(([, more]) => more);
      assert.deepEqual(
        new Map(made as [string, number][]),
        new Map([
          ['rooms get', 1],
          ['daemons get', 1],
          ['daemons update', 1],
        ]),
      );
    }
  });

  test('200 assignments at once through three control planes overfill no daemon and use all its headroom', async () => {
    const [second3, third] = [await bed.another(), await bed.another()];
    const urls = [bed.url, second3.url, third.url];
    const headroomOf = new Map([
      [first, 20],
      [second, 30],
    ]);
    const assigned: string[] = [];
    const left = (daemon: TestDaemon) =>
      (headroomOf.get(daemon) ?? 0) - assigned.filter((daemonId) => daemonId === daemon.daemonId).length;
    for (let wave = 0; left(first) + left(second) > 0; wave++) {
      for (const daemon of headroomOf.keys()) await daemon.heartbeat(bed.url, { headroom: left(daemon) });
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, number_) =>
          bed.assign(`${roomId} ${wave} ${number_}`, { peerId: 'p' }, urls[number_ % 3]),
        ),
      );
      const given = await Promise.all(answers.filter(({ status }) => status === 201).map(assignmentOf));
      assigned.push(...given.map(({ daemonId }) => daemonId));
      assert.ok(left(first) >= 0 && left(second) >= 0, `${left(first)} and ${left(second)} left`);
      const refusals = await Promise.all(answers.filter(({ status }) => status !== 201).map(problemOf));
      const codes = new Set(refusals.map(({ code }) => code));
      const made = [first, second].flatMap(({ created }) => [...created.keys()].filter((of) => of.startsWith(roomId)));
      // A busy machine, on which all of it shares one process, may keep the store or a daemon from answering in time.
      if (codes.has('UNAVAILABLE') || made.length > assigned.length) continue;
      assert.deepEqual([...codes], ['NO_CAPACITY']);
      assert.deepEqual([left(first), left(second)], [0, 0]);
    }
  });

  test('when all daemons are silent but answer, a new room is placed: the control plane was away', async () => {
    await silence(first);
    await silence(second);
    const another = await bed.another();
    assert.equal((await bed.assign(roomId, { peerId: 'p' }, another.url)).status, 201);
  });

  test('a control plane that reaches too few daemons declares none lost', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    for (const daemon of [first, second]) {
      daemon.die();
      await silence(daemon);
    }
    const another = await bed.another();
    const answer = await bed.assign(roomId, { peerId: 'p' }, another.url);
    assert.equal((await problemOf(answer)).code, 'UNAVAILABLE');
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    for (const { daemonId } of [first, second]) assert.equal((await bed.daemons.find(daemonId))?.state, 'ready');
    for (const daemon of [first, second]) await daemon.listen();
    const back = await bed.another();
    assert.equal((await assignmentOf(await bed.assign(roomId, { peerId: 'p' }, back.url))).daemonId, daemonId);
  });

  test('a silent daemon that answers the probe keeps its room', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    await silence(byId(daemonId));
    const next = await assignmentOf(await bed.assign(roomId));
    assert.deepEqual([next.daemonId, next.epoch], [daemonId, 1]);
    assert.equal((await bed.daemons.find(daemonId))?.state, 'ready');
  });

  test('a silent daemon that does not answer the probe is declared lost and fenced, and its room is placed again', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    const dead = byId(daemonId);
    dead.die();
    await silence(dead);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, peer) => bed.assign(roomId, { peerId: `${peer}` })),
    );
    const next = await Promise.all(answers.map(assignmentOf));
    const expected = `${other(daemonId).daemonId} 2`;
    assert.deepEqual([...new Set(next.map((one) => `${one.daemonId} ${one.epoch}`))], [expected]);
    assert.equal((await bed.daemons.find(daemonId))?.state, 'lost');

    await dead.listen();
    const { fenced, superseded } = await heartbeatAnswerOf(await dead.heartbeat(bed.url));
    assert.deepEqual({ fenced, superseded }, { fenced: true, superseded: false });
    assert.deepEqual((await problemOf(await dead.register(bed.url, DAEMON_KEY))).code, 'DAEMON_ID_TAKEN');
    assert.deepEqual((await problemOf(await dead.claim(bed.url, 'another room'))).code, 'DAEMON_NOT_REGISTERED');
    dead.incarnation = `${dead.incarnation}-again`;
  });

  test('a daemon that a peer cannot reach is probed: alive keeps the room, dead loses it', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    const same = await assignmentOf(await bed.assign(roomId, { peerId: 'p', failedDaemonId: daemonId }));
    assert.equal(same.daemonId, daemonId);
    assert.ok((same.retryAfterMs ?? 0) > 0);
    const unrelated = await assignmentOf(await bed.assign(roomId, { peerId: 'p', failedDaemonId: 'stranger' }));
    assert.equal(unrelated.retryAfterMs, undefined);

    // A new incarnation is not served by the result of the probe above, which is kept for a second.
    const dead = byId(daemonId);
    dead.incarnation = `${dead.incarnation}-next`;
    await dead.join(bed.url, DAEMON_KEY);
    const claimed = await claimOf(await dead.claim(bed.url, roomId));
    assert.equal(claimed.epoch, '2');
    dead.die();
    const moved = await assignmentOf(await bed.assign(roomId, { peerId: 'p', failedDaemonId: daemonId }));
    assert.deepEqual([moved.daemonId, moved.epoch], [other(daemonId).daemonId, 3]);
    await dead.listen();
    dead.incarnation = `${dead.incarnation}-again`;
  });

  test('a draining daemon gets no peers, and its room is placed again', async () => {
    const { daemonId } = await assignmentOf(await bed.assign(roomId));
    await byId(daemonId).heartbeat(bed.url, { state: 'DAEMON_STATE_DRAINING' });
    const next = await assignmentOf(await bed.assign(roomId));
    assert.deepEqual([next.daemonId, next.epoch], [other(daemonId).daemonId, 2]);
    assert.equal(byId(daemonId).moved.get(roomId), 2, 'and who is there may follow at once');
  });

  test("a room's epoch goes on rising when the room was closed, however often", async () => {
    for (let epoch = 1; epoch <= 4; epoch++) {
      const assignment = await assignmentOf(await bed.assign(roomId));
      assert.equal(assignment.epoch, epoch);
      const daemon = byId(assignment.daemonId);
      await daemon.heartbeat(bed.url, { closedRooms: [{ roomId, epoch: String(epoch) }] });
      assert.equal((await fetch(`${bed.url}/rooms/${encodeURIComponent(roomId)}`)).status, 404);
    }
  });

  test('a region that is asked for is preferred, and another serves when it has none', async () => {
    const far = await bed.daemon('far');
    far.region = 'antarctica';
    await far.join(bed.url, DAEMON_KEY);
    const near = await assignmentOf(await bed.assign(roomId, { peerId: 'p', region: 'antarctica' }));
    assert.equal(near.daemonId, 'far');
    assert.equal((await far.deregister(bed.url)).status, 204);
    assert.equal(await bed.daemons.read(shardOf('antarctica', 'far'), 'far'), undefined);
    const next = await assignmentOf(await bed.assign(roomId, { peerId: 'p', region: 'antarctica' }));
    assert.notEqual(next.daemonId, 'far');
    assert.equal(next.epoch, 2);
  });
});
