import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { TestDaemon } from '../testing/TestDaemon.ts';
import {
  claimOf,
  DAEMON_KEY,
  heartbeatAnswerOf,
  problemOf,
  startTestBed,
  type TestBed,
} from '../testing/testControlPlane.ts';

describe('the daemons routes', () => {
  let bed: TestBed;
  let daemon: TestDaemon;
  let number = 0;

  before(async () => {
    bed = await startTestBed();
  });
  after(() => bed.close());
  beforeEach(async () => {
    daemon = await bed.daemon(`daemon ${++number}`);
  });

  /** A second process with a daemon's id. */
  async function twin(of: TestDaemon, url = of.url): Promise<TestDaemon> {
    const other = await bed.daemon(of.daemonId);
    other.url = url;
    return other;
  }
  const send = (method: string, path: string, bearer: string | undefined, body?: unknown) =>
    fetch(`${bed.url}/daemons/${encodeURIComponent(daemon.daemonId)}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(bearer !== undefined && { authorization: bearer }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const rowOf = async (of: TestDaemon) => {
    const row = await bed.daemons.find(of.daemonId);
    assert.ok(row);
    return row;
  };

  test('a registration answers 201 with a secret, the interval and the keys, and writes the row', async () => {
    daemon.url = 'wss://media-1.example.com/';
    const answer = await daemon.register(bed.url, DAEMON_KEY);
    assert.equal(answer.status, 201);
    const { secret, heartbeatInterval, jwksJson } = (await answer.json()) as Record<string, string>;
    assert.ok(secret && secret.length > 40);
    assert.equal(heartbeatInterval, '2s');
    assert.equal(JSON.parse(jwksJson ?? '').keys[0].crv, 'Ed25519');
    const { url, state, headroom, region, secretHash } = await rowOf(daemon);
    assert.deepEqual([url, state, headroom, region], ['wss://media-1.example.com', 'ready', 0, 'default']);
    assert.ok(!secret.includes(secretHash));
  });

  test('without the key, or with another one, a registration answers 401', async () => {
    for (const bearer of [undefined, '', 'Bearer ', 'Bearer wrong', `Basic ${DAEMON_KEY}`, `Bearer ${DAEMON_KEY}x`]) {
      const answer = await send('POST', '/registrations', bearer, daemon.registration);
      assert.equal((await problemOf(answer)).code, 'UNAUTHORIZED', String(bearer));
    }
    assert.equal(await bed.daemons.find(daemon.daemonId), undefined);
  });

  for (const [field, change] of [
    ['incarnation', { incarnation: '' }],
    ['incarnation', { incarnation: 7 }],
    ['url', { url: '' }],
    ['url', { url: 'https://example.com' }],
    ['url', { url: 'wss://example.com/path' }],
    ['url', { url: 'wss://user@example.com' }],
    ['grpcAddress', { grpcAddress: 'example.com' }],
    ['grpcAddress', { grpcAddress: 'http://example.com:1' }],
    ['CONTROL_PLANE_DAEMON_TLS=true', { grpcAddress: 'example.com:1' }],
    ['region', { region: 'a\u0000b' }],
    ['zone', { zone: 'x'.repeat(129) }],
  ] as const) {
    test(`a registration with ${JSON.stringify(change)} answers 400 that names the field`, async () => {
      const body = { ...daemon.registration, ...change };
      const problem = await problemOf(await send('POST', '/registrations', `Bearer ${DAEMON_KEY}`, body));
      assert.equal(problem.code, 'INVALID_REQUEST');
      assert.match(problem.detail ?? '', new RegExp(field));
    });
  }

  test('a daemon’s own key registers only its id', async () => {
    const key = createHmac('sha256', DAEMON_KEY).update(daemon.daemonId).digest('base64url');
    const other = await bed.daemon(`${daemon.daemonId} other`);
    assert.equal((await problemOf(await other.register(bed.url, key))).code, 'UNAUTHORIZED');
    assert.equal((await daemon.register(bed.url, key)).status, 201);
  });

  test('a daemon id that is not valid answers 400 that names it', async () => {
    const answer = await fetch(`${bed.url}/daemons/%00/registrations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${DAEMON_KEY}` },
      body: '{}',
    });
    assert.match((await problemOf(answer)).detail ?? '', /daemonId/);
  });

  test('members of a newer daemon that are not known are skipped', async () => {
    const body = { ...daemon.registration, favouriteColour: 'red' };
    assert.equal((await send('POST', '/registrations', `Bearer ${DAEMON_KEY}`, body)).status, 201);
  });

  test('a second process with the same id answers 409, whatever addresses it names, while the first one lives', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const sameUrl = await twin(daemon);
    assert.equal((await problemOf(await sameUrl.register(bed.url, DAEMON_KEY))).code, 'DAEMON_ID_TAKEN');
    const second = await twin(daemon, 'wss://elsewhere.example.com');
    assert.equal((await problemOf(await second.register(bed.url, DAEMON_KEY))).code, 'DAEMON_ID_TAKEN');
    second.region = 'another region';
    assert.equal((await problemOf(await second.register(bed.url, DAEMON_KEY))).code, 'DAEMON_ID_TAKEN');
    assert.deepEqual(
      await heartbeatAnswerOf(await daemon.heartbeat(bed.url)).then(({ superseded }) => superseded),
      false,
    );
  });

  test('a second process with the same id and another URL takes over once the first one fails a probe or is lost', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const row = await rowOf(daemon);
    assert.ok(await bed.daemons.register({ ...row, heartbeatAt: Date.now() - 60_000 }, row));
    const early = await twin(daemon, 'wss://early.example.com');
    const refused = await problemOf(await early.register(bed.url, DAEMON_KEY));
    assert.equal(refused.code, 'DAEMON_ID_TAKEN', 'silent, but it answers the probe');
    daemon.die();
    const second = await twin(daemon, 'wss://second.example.com');
    await second.join(bed.url, DAEMON_KEY);
    assert.ok(await bed.daemons.markLost(await rowOf(second)));
    const third = await twin(daemon, 'wss://third.example.com');
    third.region = 'another region';
    await third.join(bed.url, DAEMON_KEY);
    assert.equal((await rowOf(third)).incarnation, third.incarnation);
  });

  test('an incarnation that shows the secret of the older supersedes it, whose heartbeats and claims end', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const newer = await twin(daemon);
    newer.secret = daemon.secret;
    await newer.join(bed.url, DAEMON_KEY);
    const { fenced, superseded } = await heartbeatAnswerOf(await daemon.heartbeat(bed.url));
    assert.deepEqual({ fenced, superseded }, { fenced: false, superseded: true });
    assert.equal((await problemOf(await daemon.claim(bed.url, 'room'))).code, 'DAEMON_NOT_REGISTERED');
    assert.equal((await problemOf(await daemon.deregister(bed.url))).code, 'UNAUTHORIZED');
    assert.equal((await heartbeatAnswerOf(await newer.heartbeat(bed.url))).superseded, false);
  });

  test('the same incarnation may register again, and its former secret ends', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const former = daemon.secret;
    await daemon.join(bed.url, DAEMON_KEY);
    daemon.secret = former;
    assert.equal((await problemOf(await daemon.heartbeat(bed.url))).code, 'UNAUTHORIZED');
  });

  test('a heartbeat writes state, load, headroom and time, and answers with the keys', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const before = await rowOf(daemon);
    const load = {
      rooms: 1,
      peers: 2,
      producers: 3,
      consumers: 4,
      workerCpu: 0.5,
      eventLoopDelay: '0.025s',
      network: 0.25,
      batching: { workers: 2, batchingWorkers: 1, packetsPerMessage: 3.5, refusedMessages: 6 },
    };
    const answer = await daemon.heartbeat(bed.url, { state: 'DAEMON_STATE_DRAINING', load, headroom: 7 });
    const { fenced, superseded, heartbeatInterval, jwksJson } = await heartbeatAnswerOf(answer);
    assert.deepEqual([answer.status, fenced, superseded, heartbeatInterval], [200, false, false, '2s']);
    assert.equal(JSON.parse(jwksJson).keys.length, 1);
    const { eventLoopDelay: _, ...rest } = load;
    const after = await rowOf(daemon);
    assert.deepEqual([after.state, after.headroom, after.load], ['draining', 7, { ...rest, eventLoopDelayMs: 25 }]);
    assert.ok(after.heartbeatAt >= before.heartbeatAt);
  });

  test('a heartbeat of a daemon without a row answers 409 DAEMON_NOT_REGISTERED', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    assert.equal((await daemon.deregister(bed.url)).status, 204);
    assert.equal((await problemOf(await daemon.heartbeat(bed.url))).code, 'DAEMON_NOT_REGISTERED');
    assert.equal((await daemon.deregister(bed.url)).status, 204);
    assert.equal(await bed.daemons.find(daemon.daemonId), undefined);
  });

  test('a heartbeat, claim or deregistration with a wrong secret answers 401', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const forged = `${daemon.secret.slice(0, -43)}${'x'.repeat(43)}`;
    for (const secret of ['nonsense', DAEMON_KEY, forged]) {
      daemon.secret = secret;
      for (const answer of [
        await daemon.heartbeat(bed.url),
        await daemon.claim(bed.url, 'room'),
        await daemon.report(bed.url, []),
        await daemon.deregister(bed.url),
      ]) {
        assert.equal((await problemOf(answer)).code, 'UNAUTHORIZED', `${answer.url} ${secret}`);
      }
    }
  });

  for (const [field, report] of [
    ['state', { state: 'DAEMON_STATE_UNSPECIFIED' }],
    ['state', { state: 'DAEMON_STATE_LOST' }],
    ['state', { state: 'SLEEPY' }],
    ['headroom', { headroom: -1 }],
    ['epoch', { closedRooms: [{ roomId: 'r', epoch: 'x' }] }],
  ] as const) {
    test(`a heartbeat with ${JSON.stringify(report)} answers 400 that names the field`, async () => {
      await daemon.join(bed.url, DAEMON_KEY);
      const problem = await problemOf(await daemon.heartbeat(bed.url, report));
      assert.equal(problem.code, 'INVALID_REQUEST');
      assert.match(problem.detail ?? '', new RegExp(field, 'i'));
    });
  }

  /** A record of the daemon's that the control plane cannot read. */
  async function poison(roomId: string): Promise<void> {
    const { shard, daemonId, incarnation } = await rowOf(daemon);
    const refusedPeers = [{ peerId: 7 as never, until: Date.now() + 3_600_000 }];
    const seen = { ...(await bed.rooms.read(roomId)), refusedPeers };
    assert.ok(await bed.rooms.place(seen, { daemonId, shard, incarnation }, '{}'));
    await assert.rejects(bed.rooms.read(roomId));
  }
  const tooMuch = String(2n ** 60n);

  /** What was counted meanwhile of entries that were not taken: skipped, and unprocessed. */
  async function leftBy(act: () => Promise<void>): Promise<[skipped: number, unprocessed: number]> {
    const counts = async () => {
      const text = await (await fetch(`http://127.0.0.1:${bed.controlPlane.metricsPort}/metrics`)).text();
      const of = (outcome: string) =>
        Number(new RegExp(`report_entries_left_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1]);
      return [of('skipped'), of('unprocessed')] as const;
    };
    const [skipped, unprocessed] = await counts();
    await act();
    const [skippedNow, unprocessedNow] = await counts();
    return [skippedNow - skipped, unprocessedNow - unprocessed];
  }

  for (const [kind, poisoned] of [
    ['load with a fraction that is no number', { load: { workerCpu: 'NaN' } }],
    ['batching with a fraction that is no number', { load: { batching: { packetsPerMessage: 'NaN' } } }],
    ['load with a share that is no number', { load: { network: 'Infinity' } }],
    ['count of reservations that is too large', { assigned: tooMuch }],
  ] as const) {
    test(`a heartbeat with a ${kind} has its closed rooms and removed peers processed`, async () => {
      await daemon.join(bed.url, DAEMON_KEY, { load: { workerCpu: 0.5 } });
      const [closed, other] = ['closed', 'other'].map((name) => `${name} of ${daemon.daemonId}`) as [string, string];
      for (const roomId of [closed, other]) await daemon.claim(bed.url, roomId);
      const answer = await daemon.heartbeat(bed.url, {
        closedRooms: [{ roomId: closed, epoch: '1' }],
        removedPeers: [{ roomId: other, peerId: 'mallory', refuseFor: '60s' }],
        load: { workerCpu: 0.5 },
        headroom: 9,
        ...poisoned,
      });
      assert.equal(answer.status, 200);
      assert.deepEqual((await heartbeatAnswerOf(answer)).raised, [{ roomId: other, epoch: '2' }]);
      assert.equal((await bed.rooms.read(closed)).instances.length, 0);
      assert.equal((await rowOf(daemon)).load.workerCpu, 0.5);
    });
  }

  test('one closed room that cannot be processed does not block the others, and is reported again', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const [bad, good] = ['bad', 'good'].map((name) => `${name} of ${daemon.daemonId}`) as [string, string];
    await poison(bad);
    await daemon.claim(bed.url, good);
    const closedRooms = ['..', bad, good].map((roomId) => ({ roomId, epoch: '1' }));
    closedRooms.push({ roomId: good, epoch: tooMuch });
    const left = await leftBy(async () => {
      const answer = await daemon.heartbeat(bed.url, { closedRooms });
      assert.equal(answer.status, 200);
      assert.deepEqual((await heartbeatAnswerOf(answer)).unprocessed, [bad]);
    });
    assert.deepEqual(left, [2, 1]);
    assert.equal((await bed.rooms.read(good)).instances.length, 0);
  });

  test('one removed peer that cannot be processed does not block the others, nor closed rooms', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const [bad, good, closed] = ['bad', 'good', 'closed'].map((name) => `${name} of ${daemon.daemonId}`) as [
      string,
      string,
      string,
    ];
    await poison(bad);
    for (const roomId of [good, closed]) await daemon.claim(bed.url, roomId);
    const answer = await daemon.heartbeat(bed.url, {
      removedPeers: [
        { roomId: '', peerId: 'a' },
        { roomId: bad, peerId: 'a', refuseFor: '60s' },
        { roomId: good, peerId: '' },
        { roomId: good, peerId: 'a', refuseFor: '60s' },
      ],
      closedRooms: [bad, closed].map((roomId) => ({ roomId, epoch: '1' })),
    });
    assert.equal(answer.status, 200);
    const { raised, unprocessed } = await heartbeatAnswerOf(answer);
    assert.deepEqual([raised, unprocessed], [[{ roomId: good, epoch: '2' }], [bad]]);
    assert.equal((await bed.rooms.read(closed)).instances.length, 0);
  });

  test('one reported room that cannot be recorded does not block the others', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const [bad, good] = ['bad', 'good'].map((name) => `${name} of ${daemon.daemonId}`) as [string, string];
    await poison(bad);
    const rooms = ['..', bad, good].map((roomId) => ({ roomId, epoch: '1' }));
    const left = await leftBy(async () => {
      const answer = await daemon.report(bed.url, rooms);
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { rooms: [{ roomId: good, epoch: '1' }], elsewhere: [] });
    });
    assert.deepEqual(left, [1, 1]);
  });

  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    test(`a peer, a room and a daemon called ${name} are names like any other`, async () => {
      const { status } = await (await bed.daemon(name)).register(bed.url, DAEMON_KEY);
      assert.equal(status, 201);
      await daemon.join(bed.url, DAEMON_KEY);
      assert.equal((await claimOf(await daemon.claim(bed.url, name))).granted, true);
      const removedPeers = ['mallory', name].map((peerId) => ({ roomId: name, peerId, refuseFor: '60s' }));
      for (const epoch of ['2', '3']) {
        const answer = await daemon.heartbeat(bed.url, { removedPeers });
        assert.deepEqual([answer.status, (await heartbeatAnswerOf(answer)).raised], [200, [{ roomId: name, epoch }]]);
      }
      for (const peerId of ['mallory', name])
        assert.equal((await problemOf(await bed.assign(name, { peerId }))).code, 'FORBIDDEN');
      const { status: closed } = await daemon.heartbeat(bed.url, { closedRooms: [{ roomId: name, epoch: '3' }] });
      assert.equal(closed, 200);
      assert.equal((await bed.rooms.read(name)).instances.length, 0);
    });
  }

  for (const peerId of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    test(`a peer called ${peerId} that was not removed is assigned`, async () => {
      await daemon.join(bed.url, DAEMON_KEY);
      const roomId = `room of ${daemon.daemonId}`;
      await daemon.claim(bed.url, roomId);
      await daemon.heartbeat(bed.url, { removedPeers: [{ roomId, peerId: 'mallory', refuseFor: '60s' }] });
      assert.equal((await bed.assign(roomId, { peerId })).status, 201);
    });
  }

  test('a closed room is removed only for the daemon, the incarnation and the epoch that has it', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const stranger = await bed.daemon(`${daemon.daemonId} stranger`);
    await stranger.join(bed.url, DAEMON_KEY);
    const roomId = `room of ${daemon.daemonId}`;
    const status = async () => (await fetch(`${bed.url}/rooms/${encodeURIComponent(roomId)}`)).status;
    const closedRooms = [{ roomId, epoch: '1' }];
    await daemon.claim(bed.url, roomId);
    assert.equal((await stranger.heartbeat(bed.url, { closedRooms })).status, 200);
    assert.equal((await daemon.heartbeat(bed.url, { closedRooms: [{ roomId, epoch: '2' }] })).status, 200);
    assert.equal(await status(), 200);
    assert.equal((await daemon.heartbeat(bed.url, { closedRooms })).status, 200);
    assert.equal(await status(), 404);
    assert.equal((await daemon.heartbeat(bed.url, { closedRooms })).status, 200);
  });

  test('a claim of a room without a daemon is granted, and again to the same daemon', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const roomId = `room of ${daemon.daemonId}`;
    for (let time = 0; time < 2; time++) {
      const answer = await daemon.claim(bed.url, roomId);
      assert.equal(answer.status, 200);
      assert.deepEqual(await claimOf(answer), { granted: true, daemonId: daemon.daemonId, epoch: '1' });
    }
  });

  test('a claim of a room that another live daemon has is refused and names that one', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const other = await bed.daemon(`${daemon.daemonId} other`);
    await other.join(bed.url, DAEMON_KEY);
    const roomId = `room of ${daemon.daemonId}`;
    await daemon.claim(bed.url, roomId);
    const refused = await claimOf(await other.claim(bed.url, roomId));
    assert.deepEqual(refused, { granted: false, daemonId: daemon.daemonId, epoch: '1' });
    await daemon.deregister(bed.url);
    const granted = await claimOf(await other.claim(bed.url, roomId));
    assert.deepEqual(granted, { granted: true, daemonId: other.daemonId, epoch: '2' });
  });

  test('reported rooms are recorded again by a table that has lost them, and keep their epochs', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const other = await bed.daemon(`${daemon.daemonId} other`);
    await other.join(bed.url, DAEMON_KEY);
    const room = (name: string) => `${name} of ${daemon.daemonId}`;
    await daemon.claim(bed.url, room('known'));
    await other.claim(bed.url, room('foreign'));
    const rooms = [
      { roomId: room('known'), epoch: '1' },
      { roomId: room('lost'), epoch: '7' },
      { roomId: room('foreign'), epoch: '1' },
    ];
    // Again changes nothing.
    for (let time = 0; time < 2; time++) {
      const answer = (await (await daemon.report(bed.url, rooms)).json()) as typeof rooms & { rooms: typeof rooms };
      const recorded = answer.rooms.toSorted((a, b) => (a.roomId < b.roomId ? -1 : 1));
      assert.deepEqual({ ...answer, rooms: recorded }, { rooms: rooms.slice(0, 2), elsewhere: [room('foreign')] });
    }
    const { instances, epoch, expiresAt = 0 } = await bed.rooms.read(room('lost'));
    assert.deepEqual([instances[0]?.daemonId, epoch], [daemon.daemonId, 7]);
    assert.ok(expiresAt * 1000 > Date.now());
    const closedRooms = [{ roomId: room('lost'), epoch: '7' }];
    await daemon.heartbeat(bed.url, { closedRooms });
    const reopened = (await (await daemon.report(bed.url, rooms.slice(1, 2))).json()) as { rooms: typeof rooms };
    assert.deepEqual(reopened.rooms, [{ roomId: room('lost'), epoch: '8' }]);
  });

  test('a report of too many rooms answers 400 that names them', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    const many = Array.from({ length: 101 }, (_, index) => ({ roomId: `room ${index}`, epoch: '1' }));
    assert.match((await problemOf(await daemon.report(bed.url, many))).detail ?? '', /rooms/);
  });

  test('a claim with ids or capabilities that are not valid answers 400 that names the field', async () => {
    await daemon.join(bed.url, DAEMON_KEY);
    assert.match((await problemOf(await daemon.claim(bed.url, '\u0000'))).detail ?? '', /roomId/);
    const body = { incarnation: daemon.incarnation, rtpCapabilitiesJson: '{}' };
    const problem = await problemOf(await send('PUT', '/rooms/room', `Bearer ${daemon.secret}`, body));
    assert.match(problem.detail ?? '', /rtpCapabilitiesJson/);
  });
});
