/*
 * Watches a room and puts a peer out of it as often as it comes.
 * ACCESS_TOKEN=.. node backend-client/examples/removePeer.ts http://127.0.0.1:3000 lobby mallory
 */
import { RoomClient } from '@mediasoup-server/backend-client';

const [controlPlaneUrl = '', roomId = '', unwanted = ''] = process.argv.slice(2);
const { ACCESS_TOKEN } = process.env;
const rooms = new RoomClient({ controlPlaneUrl, ...(ACCESS_TOKEN && { accessToken: ACCESS_TOKEN }) });

for await (const watched of rooms.watch(roomId)) {
  if (watched.is === 'missed') {
    const peers = await rooms.peers(roomId);
    console.log('missed something; here now:', ...peers.map(({ peerId }) => peerId));
    continue;
  }
  const { kind, time } = watched.event;
  console.log(Number(time?.seconds), kind.case, JSON.stringify(kind.value));
  if (kind.case === 'peerJoined' && kind.value.peerId === unwanted) {
    await rooms.commands.closePeer({ roomId, peerId: unwanted, reason: 'not welcome', refuseFor: { seconds: 60n } });
    console.log('removed', unwanted);
  }
}
console.log('the room is over');
rooms.close();
