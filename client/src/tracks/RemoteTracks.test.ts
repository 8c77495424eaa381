import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoomError } from '../errors.ts';
import { withTrackKey } from '../session/trackKey.ts';
import { ScriptedSession } from '../testing/ScriptedSession.ts';
import { RemoteTracks } from './RemoteTracks.ts';

/** The remote tracks of a peer with one session, and the names of the emitted events. */
function received({ autoSubscribe = true } = {}) {
  const tracks = new RemoteTracks({ autoSubscribe, adaptive: false });
  const events: string[] = [];
  for (const name of ['published', 'unpublished', 'subscribed', 'unsubscribed', 'changed'] as const)
    tracks.on(name, () => events.push(name));
  const first = new ScriptedSession('daemon-a');
  tracks.add(first.session);
  return { tracks, events, first };
}

/** Runs what waits for no timer. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const keyed = (trackId: string) => ({ appData: withTrackKey({}, { trackId }) });

test('`RemoteTracks` publishes and subscribes to the producers of a session', async () => {
  const { tracks, events, first } = received();
  first.announce('p1', { appData: withTrackKey({ source: 'microphone' }, { trackId: 'track' }) });
  await settled();
  const [track] = tracks.all;
  assert.deepEqual(events, ['published', 'subscribed']);
  assert.equal(track?.id, 'track');
  assert.equal(track?.source, 'microphone');
  assert.equal(track?.state, 'live');
  first.withdraw('p1');
  assert.deepEqual(events.slice(2), ['unsubscribed', 'unpublished']);
  assert.deepEqual(tracks.all, []);
});

test('`RemoteTracks` keeps a track that its sender publishes in another session, and receives it there', async () => {
  const { tracks, events, first } = received();
  first.announce('p1', keyed('track'));
  await settled();
  const [track] = tracks.all;
  const second = new ScriptedSession('daemon-b');
  tracks.hold(first.session);
  tracks.add(second.session);
  assert.equal(tracks.hasAll(second.session), false);
  second.announce('p2', keyed('track'));
  await settled();
  assert.deepEqual(tracks.all, [track]);
  assert.equal(track?.producerId, 'p2');
  assert.equal(tracks.hasAll(second.session), true);
  assert.deepEqual(first.consumers.received, [], 'the former consumer is closed');
  first.withdraw('p1');
  tracks.remove(first.session);
  assert.deepEqual(events, ['published', 'subscribed', 'changed']);
});

test('`RemoteTracks` keeps a track that closes in a held session until the session is released or removed', async () => {
  for (const end of ['release', 'remove'] as const) {
    const { tracks, events, first } = received();
    first.announce('p1', keyed('track'));
    await settled();
    tracks.hold(first.session);
    first.withdraw('p1');
    assert.equal(tracks.all.length, 1);
    tracks[end](first.session);
    assert.deepEqual(events, ['published', 'subscribed', 'changed', 'unsubscribed', 'unpublished'], end);
  }
});

test('`RemoteTracks` recognizes a track of a sender without the SDK by its kind and `appData`', async () => {
  const { tracks, first } = received();
  first.announce('p1', { appData: { name: 'one' } });
  first.announce('p2', { appData: { name: 'two' } });
  await settled();
  const [one, two] = tracks.all;
  const second = new ScriptedSession('daemon-b');
  tracks.hold(first.session);
  tracks.add(second.session);
  second.announce('p3', { appData: { name: 'two' } });
  second.announce('p4', { appData: { name: 'one' } });
  second.announce('p5', { appData: { name: 'one' } });
  await settled();
  assert.equal(one?.producerId, 'p4');
  assert.equal(two?.producerId, 'p3');
  assert.equal(tracks.all.length, 3, 'a second one like it is another track');
});

test('`RemoteTracks` ignores a consumer of an earlier session that is created late', async () => {
  const { tracks, first } = received();
  const late = Promise.withResolvers<void>();
  first.consumers.delays.set('p1', late.promise);
  first.announce('p1', keyed('track'));
  const second = new ScriptedSession('daemon-b');
  tracks.hold(first.session);
  tracks.add(second.session);
  second.announce('p2', keyed('track'));
  await settled();
  late.resolve();
  await settled();
  assert.equal(tracks.all[0]?.producerId, 'p2');
});

test('`RemoteTracks` without `autoSubscribe` receives only the tracks that the application subscribes to', async () => {
  const { tracks, events, first } = received({ autoSubscribe: false });
  first.announce('p1', keyed('track'));
  await settled();
  const [track] = tracks.all;
  assert.equal(track?.state, 'unsubscribed');
  assert.deepEqual(first.consumers.received, []);
  track?.subscribe();
  assert.equal(track?.state, 'waiting');
  await settled();
  assert.equal(track?.state, 'live');
  assert.deepEqual(first.consumers.received, ['p1']);
  track?.unsubscribe();
  assert.deepEqual(first.consumers.received, []);
  assert.deepEqual(events, ['published', 'changed', 'subscribed', 'unsubscribed']);
});

test('`RemoteTracks` closes a consumer that is created after its track was unsubscribed', async () => {
  const { tracks, events, first } = received();
  const late = Promise.withResolvers<void>();
  first.consumers.delays.set('p1', late.promise);
  first.announce('p1');
  tracks.all[0]?.unsubscribe();
  late.resolve();
  await settled();
  assert.deepEqual(first.consumers.received, []);
  assert.deepEqual(events, ['published']);
});

test('`RemoteTracks` sets the error of a track that this browser cannot receive, and of no track that is gone', async () => {
  const { tracks, events, first } = received();
  first.consumers.failures.set('p1', new RoomError('INVALID_REQUEST', 'no codec', { status: 422 }));
  first.consumers.failures.set('p2', new RoomError('INVALID_REQUEST', 'gone', { status: 404 }));
  first.announce('p1', keyed('unsupported'));
  first.announce('p2', keyed('gone'));
  await settled();
  const [unsupported, gone] = tracks.all;
  assert.equal(unsupported?.state, 'failed');
  assert.equal(unsupported?.error?.message, 'no codec');
  assert.equal(gone?.state, 'waiting');
  assert.deepEqual(events, ['published', 'published', 'changed']);
});
