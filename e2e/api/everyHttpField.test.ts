import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '@mediasoup-server/proto/http';
import fc from 'fast-check';
import { hostileValues, placesIn, withValue } from '../support/leaves.ts';
import { daemonKey, Stack } from '../support/stack.ts';

/** How many more requests with several such values each are tried, at random; `make soak` tries many more. */
const RUNS = Number(process.env.HTTP_FUZZ_RUNS ?? 500);
const NO_LIMIT = '1000000000';
const names = ['.', '..', '*', '__proto__', 'constructor', '\u0000', '%', 'x'.repeat(2000), '\u202e', '/', '?'];
const rtpCapabilitiesJson = JSON.stringify({ codecs: [], headerExtensions: [] });

test('no value in any field of an HTTP request causes an internal error, and peers are still assigned', async (t) => {
  const stack = await Stack.start(t, {
    CONTROL_PLANE_ASSIGNMENTS_PER_MINUTE: NO_LIMIT,
    CONTROL_PLANE_REQUESTS_PER_MINUTE: NO_LIMIT,
    CONTROL_PLANE_WRONG_KEYS_PER_MINUTE: NO_LIMIT,
  });
  const daemon = await stack.startDaemon('daemon-a');
  const send = (url: string, method: string, body?: unknown, bearer?: string) =>
    fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  let messages = 0;
  const noFault = async (answer: Response, about: string) => {
    messages++;
    // A body may name the region or the daemon so that no daemon is left; any other 503 is a table that was given what it
    // cannot store.
    if (answer.status === 503) assert.equal(((await answer.clone().json()) as Problem).code, 'NO_CAPACITY', about);
    else assert.ok(answer.status < 500, `${about}: ${answer.status}`);
    return answer;
  };

  const paths = ['/rooms/', '/rooms/room/', '/rooms?limit=', '/rooms?cursor=', '/daemons?cursor=', '/?roomId='];
  for (const base of [stack.controlPlaneUrl, daemon.url.replace(/^ws/, 'http')])
    for (const path of paths)
      for (const name of names) {
        const url = `${base}${path}${encodeURIComponent(name)}`;
        await (await noFault(await send(url, 'GET'), url)).body?.cancel();
      }

  const register = async (daemonId: string) => {
    const registration = { ...registered, grpcAddress: '127.0.0.1:9' };
    const answer = await send(
      `${stack.controlPlaneUrl}/daemons/${daemonId}/registrations`,
      'POST',
      registration,
      daemonKey,
    );
    assert.equal(answer.status, 201);
    return ((await answer.json()) as { secret: string }).secret;
  };
  const registered = { incarnation: 'one', region: 'default', zone: 'a', url: 'ws://127.0.0.1:9', version: '1' };
  const duration = '0.001s';
  const counts = { rooms: 1, peers: 1, producers: 1, consumers: 1 };
  const batching = { workers: 2, batchingWorkers: 1, packetsPerMessage: 1.5, refusedMessages: '0' };
  const load = { ...counts, workerCpu: 0.5, eventLoopDelay: duration, network: 0, batching };
  const secret = await register('daemon-b');
  const posts: readonly (readonly [method: string, path: string, body: object, bearer?: string])[] = [
    ['POST', '/rooms/room/assignments', { peerId: 'alice', region: 'default', failedDaemonId: 'daemon-x' }],
    ['POST', '/command-tokens', { roomId: 'room', scopes: ['rooms:read'] }],
    ['POST', '/daemons/daemon-c/registrations', { ...registered, grpcAddress: '127.0.0.1:9' }, daemonKey],
    [
      'POST',
      '/daemons/daemon-b/heartbeats',
      {
        incarnation: 'one',
        state: 'DAEMON_STATE_READY',
        load,
        closedRooms: [{ roomId: 'closed', epoch: '1' }],
        headroom: 0,
        assigned: '0',
        removedPeers: [{ roomId: 'closed', peerId: 'alice', refuseFor: '1s' }],
      },
      secret,
    ],
    [
      'POST',
      '/daemons/daemon-b/rooms',
      { incarnation: 'one', rooms: [{ roomId: 'reported', epoch: '1' }], rtpCapabilitiesJson },
      secret,
    ],
    ['PUT', '/daemons/daemon-b/rooms/claimed', { incarnation: 'one', rtpCapabilitiesJson }, secret],
  ];
  for (const [method, path, body, bearer] of posts) {
    const url = `${stack.controlPlaneUrl}${path}`;
    const first = await send(url, method, body, bearer);
    assert.ok(first.ok, `${path}: ${first.status} ${await first.text()}`);
    for (const place of placesIn(body))
      for (const value of hostileValues) {
        const about = `${path}, ${place.join('.')}: ${JSON.stringify(value)?.slice(0, 50)}`;
        const answer = await send(url, method, withValue(body, place, value), bearer);
        await (await noFault(answer, about)).body?.cancel();
      }
    const last = await send(url, method, body, bearer);
    assert.ok(last.ok, `${path}, valid again: ${last.status} ${await last.text()}`);
  }
  t.diagnostic(`${messages} requests with one such value`);

  const met: Partial<Record<number, number>> = {};
  const several = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...hostileValues)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...posts), several, async ([method, path, body, bearer], changes) => {
      let changed = body;
      for (const [at, value] of changes) {
        const places = placesIn(changed);
        const place = places[at % places.length];
        if (place) changed = withValue(changed, place, value);
      }
      const answer = await send(`${stack.controlPlaneUrl}${path}`, method, changed, bearer);
      met[answer.status] = (met[answer.status] ?? 0) + 1;
      await (await noFault(answer, `${path}: ${JSON.stringify(changed).slice(0, 500)}`)).body?.cancel();
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 3_600_000 },
  );
  t.diagnostic(`of ${RUNS} requests with up to four such values: ${JSON.stringify(met)}`);
  assert.ok(met[201] || met[200], 'none was taken');
  assert.ok(met[400], 'none was refused');
  assert.equal((await stack.assign('another', 'guest')).roomId, 'another');
});
