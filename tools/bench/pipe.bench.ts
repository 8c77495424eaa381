import type { types } from 'mediasoup';
import type { RoomRouter } from '../../media-daemon/src/routers/RoomRouter.ts';
import { opusRtpParameters } from '../../media-daemon/src/testing/opus.ts';
import { joinRoom, testRooms } from '../../media-daemon/src/testing/testRooms.ts';

/**
 * The time from `consume` to the first RTP packet: on the producer's own router, on a router that it is already piped to, and
 * where the pipe must be created. The three take turns; a packet is sent every millisecond.
 * `node tools/bench/pipe.bench.ts [rounds]`
 */

const [rounds = 300] = process.argv.slice(2).map(Number);
const { rooms } = await testRooms({ after: () => {} });
const room = await rooms.getOrCreate('room');
const { peer: alice } = await joinRoom(room, 'alice');
const { peer: bob } = await joinRoom(room, 'bob');
const [near, far] = await Promise.all(
  [alice, bob].map(async ({ router }) => (await router.opened).createDirectTransport()),
);
if (!near || !far) throw new Error('the room is not on two workers');
const rtpParameters = opusRtpParameters();
const producer = await near.produce({ kind: 'audio', rtpParameters });

let sequence = 0;
setInterval(() => {
  const packet = Buffer.alloc(52);
  packet.writeUInt16BE(0x806f, 0);
  packet.writeUInt16BE(++sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * 48) >>> 0, 4);
  packet.writeUInt32BE(rtpParameters.encodings[0]?.ssrc ?? 0, 8);
  producer.send(packet);
}, 1);

const receive = (on: types.DirectTransport, router: RoomRouter): Promise<types.Consumer> =>
  room.mesh.receive(producer, alice.router, router, () =>
    on.consume({ producerId: producer.id, rtpCapabilities: room.rtpCapabilities }),
  );

/** Milliseconds from the request to the first packet. */
async function timed(on: types.DirectTransport, router: RoomRouter): Promise<number> {
  const begin = performance.now();
  const consumer = await receive(on, router);
  await new Promise((resolve) => consumer.once('rtp', resolve));
  const ms = performance.now() - begin;
  consumer.close();
  return ms;
}

const times = { own: [] as number[], piped: [] as number[], made: [] as number[] };
// The first tenth warms up, and creates the link that all pipes between the two routers share.
for (let round = -rounds / 10; round < rounds; round++) {
  const own = await timed(near, alice.router);
  const made = await timed(far, bob.router);
  const keeper = await receive(far, bob.router);
  const piped = await timed(far, bob.router);
  keeper.close();
  if (round < 0) continue;
  times.own.push(own);
  times.piped.push(piped);
  times.made.push(made);
}
const median = (of: number[]) => of.sort((a, b) => a - b)[of.length >> 1] ?? 0;
const [own, piped, made] = [median(times.own), median(times.piped), median(times.made)];
process.stdout.write(
  `consume to first RTP, ms, median: ${own.toFixed(2)} on the producer's router, ${piped.toFixed(2)} over a pipe that is ` +
    `there (x${(piped / own).toFixed(2)}), ${made.toFixed(2)} where it is made (x${(made / piped).toFixed(2)} over one that is there)\n`,
);
process.exit();
