import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { callBots, startBotFleet, untilStatus } from '../support/bots.ts';
import { hear } from '../support/programSockets.ts';
import { commandsOf } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** One fleet serves these tests: each has a room of its own. */
const fleet = await startBotFleet({ after });

/** Whether a message answers the publication of a track. */
function isPublished(text: string): boolean {
  const { response, data } = JSON.parse(text) as {
    response?: true;
    data?: { producerId?: string; consumerId?: string };
  };
  return response === true && data?.producerId !== undefined && data.consumerId === undefined;
}

for (const failure of ['reset', 'blackhole'] as const) {
  test(`the SDK in Node resumes its session after a ${failure} and keeps the same tracks`, async (t) => {
    const { relay, alice, bob, receivesMore } = await callBots(t, fleet);
    const tracks = bob.room.remoteTracks;
    const media = tracks.map(({ track }) => track);
    const states: string[] = [];
    bob.room.on('stateChanged', ({ status }) => states.push(status));
    relay[failure]();
    await waitUntil(
      'Bob is connected again',
      () => states.at(-1) === 'connected',
      () => states,
    );
    await receivesMore(20);
    assert.deepEqual(states, ['resuming', 'connected']);
    assert.deepEqual(bob.room.remoteTracks, tracks);
    assert.deepEqual(
      bob.room.remoteTracks.map(({ track }) => track),
      media,
    );
    await untilStatus(alice, 'connected');
    // Bob also has what changed while there was no socket.
    await alice.room.localTracks[0]?.mute();
    await waitUntil('Bob sees a muted track', () => bob.room.remoteTracks.some(({ muted }) => muted));
  });
}

test('a resume that is too late for the daemon, which answers 408, is tried again', async (t) => {
  const hasty = await startBotFleet(t, ['daemon-a'], { MEDIA_DAEMON_JOIN_TIMEOUT_MS: '1000' });
  const { relay, alice, bob, daemon, roomId, receivesMore } = await callBots(t, hasty);
  const states: string[] = [];
  for (const { room } of [alice, bob]) room.on('stateChanged', ({ status }) => states.push(status));
  // Each way: the `joinRoom` comes 1.2 s after the daemon has accepted the socket.
  relay.delay(600);
  relay.reset();
  const late = () => daemon.log.filter((line) => line.includes('JOIN_TIMEOUT'));
  await waitUntil(
    'both are refused',
    () => ['alice', 'bob'].every((id) => late().some((line) => line.includes(id))),
    late,
  );
  relay.delay(0);
  await waitUntil('both are connected', () => [alice, bob].every(({ room }) => room.state.status === 'connected'));
  await receivesMore(20);
  assert.ok(!states.includes('closed'), states.join());
  const { room } = await commandsOf(t, daemon).getRoom({ roomId });
  assert.equal(room?.peers.length, 2);
});

test('a track published just before the socket was lost is published once', async (t) => {
  const { relay, alice, bob, producers, hasLiveTracks } = await callBots(t, fleet);
  const before = await producers();
  hear((text) => (isPublished(text) ? [] : [text]));
  const publishing = alice.publish();
  await waitUntil('the daemon has a new producer', async () => (await producers()) !== before);
  relay.reset();
  hear();
  await publishing;
  assert.equal(await producers(), before + 2);
  await hasLiveTracks(4);
  assert.equal(bob.room.remoteTracks.length, 4);
});

test('a notification that arrives together with the answer of a resumed session is newer than its snapshot', async (t) => {
  const { relay, alice, hasLiveTracks } = await callBots(t, fleet);
  // Bob, who publishes nothing, gets the answer only together with the next notification.
  let answer: string | undefined;
  hear((text) => {
    const { method, data } = JSON.parse(text);
    if (data?.snapshot?.ownProducers.length === 0) {
      answer = text;
      return [];
    }
    if (method !== 'newProducer' || answer === undefined) return [text];
    const both = [answer, text];
    answer = undefined;
    return both;
  });
  relay.reset();
  await waitUntil("Bob's session is resumed", () => answer !== undefined);
  await untilStatus(alice, 'connected');
  await alice.publish();
  await hasLiveTracks(4);
});

test('a track whose publication was not answered when the session ended is published in the next session', async (t) => {
  // Nobody can resume so soon.
  const forgetful = await startBotFleet(t, ['daemon-a'], { MEDIA_DAEMON_RESUME_GRACE_MS: '1' });
  const { relay, alice, producers, hasLiveTracks } = await callBots(t, forgetful);
  hear((text) => (isPublished(text) ? [] : [text]));
  const before = await producers();
  const publishing = alice.publish();
  await waitUntil('the daemon has a new producer', async () => (await producers()) !== before);
  relay.reset();
  hear();
  await publishing;
  assert.equal(alice.room.localTracks.length, 4);
  await hasLiveTracks(4);
});
