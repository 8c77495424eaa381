import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { joinRoom, testRooms } from '../testing/testRooms.ts';
import { Reports } from './Reports.ts';

/** What the control plane reads of a heartbeat at most, bytes. */
const BODY_BYTES = 65_536;
/** The longest id, of characters that JSON escapes. */
const longId = (index: number) => `${index}`.padEnd(128, '"');

async function reporting(t: TestContext) {
  const { rooms } = await testRooms(t, { workers: 1 });
  const reports = new Reports(rooms, () => {});
  /** Takes reports, as heartbeats do. Those of the `unprocessed` rooms stay. */
  const takeAll = (unprocessed: readonly string[] = []) => {
    const taken: { closed: string[]; kicked: string[] }[] = [];
    for (let heartbeat = 0; heartbeat < 10; heartbeat++) {
      const { report, acknowledge } = reports.take();
      const { closedRooms = [], removedPeers = [] } = report;
      const text = JSON.stringify(report, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
      assert.ok(text.length < BODY_BYTES / 2, `${text.length} bytes`);
      taken.push({
        closed: closedRooms.map(({ roomId }) => String(roomId)),
        kicked: removedPeers.map(({ peerId }) => String(peerId)),
      });
      const reported = new Set(closedRooms.map(({ roomId }) => roomId));
      const left = unprocessed.filter((roomId) => reported.has(roomId));
      const goesOn = acknowledge({ raised: [], unprocessed: left });
      assert.equal(goesOn, !reports.isEmpty && left.length === 0);
    }
    return { taken, closed: taken.flatMap(({ closed }) => closed), kicked: taken.flatMap(({ kicked }) => kicked) };
  };
  return { rooms, reports, takeAll };
}

test('any number of closed rooms is reported in heartbeats that the control plane reads, whichever it cannot process', async (t) => {
  const { rooms, reports, takeAll } = await reporting(t);
  const ids = Array.from({ length: 200 }, (_, index) => longId(index));
  for (const id of ids) (await rooms.getOrCreate(id, 1)).close('empty');
  const bad = ids.slice(0, 60);
  const { closed } = takeAll(bad);
  assert.deepEqual(new Set(closed), new Set(ids));
  assert.ok(!reports.isEmpty);
  assert.deepEqual(new Set(takeAll().closed), new Set(bad));
  assert.ok(reports.isEmpty);
});

test('any number of removed peers is reported, and the close of their room with the last of them', async (t) => {
  const { rooms, reports, takeAll } = await reporting(t);
  const room = await rooms.getOrCreate(longId(0), 1);
  const ids = Array.from({ length: 60 }, (_, index) => longId(index));
  for (const id of ids) await joinRoom(room, id);
  // The last one closes the room.
  for (const peer of room.peers) rooms.kickPeer(room, peer, 'no reason', 60_000);
  const { taken, kicked } = takeAll();
  assert.deepEqual(kicked, ids);
  assert.deepEqual(
    taken.slice(0, 3).map(({ closed, kicked }) => [closed.length, kicked.length > 0]),
    [
      [0, true],
      [1, true],
      [0, false],
    ],
  );
  assert.ok(reports.isEmpty);
});
