import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commanded } from '../testing/commanded.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { unlimitedRates } from '../testing/unlimitedRates.ts';

test('`ListRooms` with a page size hands out every room once, in the order of the ids', async (t) => {
  const { commands } = await commanded(t);
  for (const roomId of ['d', 'b', 'e', 'a', 'c']) await commands.createRoom({ roomId });
  const pages: string[][] = [];
  let pageToken = '';
  do {
    const page = await commands.listRooms({ pageSize: 2, pageToken });
    pages.push(page.rooms.map(({ roomId }) => roomId));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(pages, [['a', 'b'], ['c', 'd'], ['e']]);
  const whole = await commands.listRooms({});
  assert.equal(whole.rooms.length, 5);
  assert.equal(whole.rooms[0]?.peers, 0);
  assert.equal(whole.nextPageToken, '');
  assert.equal((await commands.listRooms({ pageSize: 5 })).nextPageToken, '', 'a full last page is the last');
});

test('a page that grows long ends early, and the next goes on from there', async (t) => {
  const { commands, url } = await commanded(t, unlimitedRates);
  const appData = { text: 'x'.repeat(16_000) };
  const ids = Array.from({ length: 100 }, (_, index) => `peer-${String(index).padStart(3, '0')}`);
  await Promise.all(
    ids.map(async (peerId) => {
      const client = await SignalingClient.open(url, 'room', peerId);
      await client.request('joinRoom', { roomId: 'room', peerId, appData });
    }),
  );
  const first = await commands.listPeers({ roomId: 'room', pageSize: 1000 });
  assert.ok(first.peers.length < 100 && first.nextPageToken !== '', String(first.peers.length));
  const second = await commands.listPeers({ roomId: 'room', pageSize: 1000, pageToken: first.nextPageToken });
  assert.deepEqual(
    [...first.peers, ...second.peers].map(({ peerId }) => peerId),
    ids,
  );
  assert.equal(second.nextPageToken, '');
});
