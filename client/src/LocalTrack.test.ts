import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalTrack } from './LocalTrack.ts';

/** The part of a browser's track that a LocalTrack uses. */
function fakeTrack(kind: 'audio' | 'video', readyState: 'live' | 'ended' = 'live'): MediaStreamTrack {
  return Object.assign(new EventTarget(), { kind, readyState, enabled: true }) as unknown as MediaStreamTrack;
}

/** A published camera; `fails` is what its sender says of a replacement. */
function published({ fails }: { fails?: Error } = {}) {
  const sent: MediaStreamTrack[] = [];
  const former = fakeTrack('video');
  const local = new LocalTrack(
    former,
    {},
    {
      muteChanged: async () => {},
      trackReplaced: async ({ track }) => {
        sent.push(track);
        if (fails && track !== former) throw fails;
      },
      changed: () => {},
      closed: async () => {},
    },
  );
  return { local, former, sent };
}

for (const [how, track] of [
  ['has ended', fakeTrack('video', 'ended')],
  ['is of the other kind', fakeTrack('audio')],
] as const) {
  test(`\`replaceTrack\` with a track that ${how} throws and leaves the LocalTrack as it is`, async () => {
    const { local, former, sent } = published();
    await assert.rejects(local.replaceTrack(track), { code: 'INVALID_REQUEST' });
    assert.equal(local.track, former);
    assert.equal(local.kind, 'video');
    assert.deepEqual(sent, []);
    former.dispatchEvent(new Event('ended'));
    assert.equal(local.closed, true, 'the end of the former track still closes it');
  });
}

test('`replaceTrack` sends the former track again where the sender fails', async () => {
  const { local, former, sent } = published({ fails: new Error('cannot send it') });
  const track = fakeTrack('video');
  await assert.rejects(local.replaceTrack(track), /cannot send it/);
  assert.equal(local.track, former);
  assert.deepEqual(sent, [track, former]);
  track.dispatchEvent(new Event('ended'));
  assert.equal(local.closed, false, 'the refused track is not listened to any more');
});
