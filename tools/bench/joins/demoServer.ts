import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createWorker, type types } from 'mediasoup';
import protoo from 'protoo-server';

/**
 * Serves rooms as mediasoup-demo does: protoo's own server, one router a room, a consumer of each producer for each peer that
 * has joined, created by the server and announced with `newConsumer`. No checks, limits or resumption.
 * `node demoServer.ts CERT KEY`. It prints where it listens.
 */

type DemoPeer = {
  joined: boolean;
  rtpCapabilities?: types.RtpCapabilities;
  readonly transports: Map<string, types.WebRtcTransport>;
  receiving?: types.WebRtcTransport;
  readonly producers: Map<string, types.Producer>;
  readonly consumers: Map<string, types.Consumer>;
};

type DemoRoom = { readonly protoo: protoo.Room; readonly router: types.Router };

const [cert = '', key = ''] = process.argv.slice(2);
const worker = await createWorker({ logLevel: 'none' });
const webRtcServer = await worker.createWebRtcServer({
  listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ip: '127.0.0.1' })),
});
const mediaCodecs: types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, parameters: { 'x-google-start-bitrate': 1000 } },
  {
    kind: 'video',
    mimeType: 'video/h264',
    clockRate: 90_000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
];
const rooms = new Map<string, Promise<DemoRoom>>();

async function createRoom(roomId: string): Promise<DemoRoom> {
  const router = await worker.createRouter({ mediaCodecs });
  const observer = await router.createAudioLevelObserver({ maxEntries: 1, threshold: -80, interval: 800 });
  const speakers = await router.createActiveSpeakerObserver();
  void observer;
  void speakers;
  const room = new protoo.Room();
  room.on('close', () => {
    router.close();
    rooms.delete(roomId);
  });
  return { protoo: room, router };
}

const http = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
const server = new protoo.WebSocketServer(http, { maxReceivedFrameSize: 960_000, maxReceivedMessageSize: 960_000 });
server.on('connectionrequest', async (info, accept, reject) => {
  const query = new URL(info.request.url ?? '', 'wss://x').searchParams;
  const [roomId, peerId] = [query.get('roomId') ?? '', query.get('peerId') ?? ''];
  let opening = rooms.get(roomId);
  if (!opening) {
    opening = createRoom(roomId);
    rooms.set(roomId, opening);
  }
  const room = await opening.catch(reject);
  if (!room) return;
  const peer = room.protoo.createPeer(peerId, accept());
  const data = peer.data as DemoPeer;
  Object.assign(data, { joined: false, transports: new Map(), producers: new Map(), consumers: new Map() });
  peer.on('request', (request, accept, reject) => {
    handle(room, peer, data, request.method, request.data).then(accept, reject);
  });
  peer.on('close', () => {
    if (data.joined) for (const other of joinedPeers(room, peer)) notify(other, 'peerClosed', { peerId });
    for (const transport of data.transports.values()) transport.close();
    if (room.protoo.peers.length === 0) room.protoo.close();
  });
});

const joinedPeers = (room: DemoRoom, except: protoo.Peer) =>
  room.protoo.peers.filter((other) => (other.data as DemoPeer).joined && other !== except);

/** A peer may leave before it has answered. */
const warn = (error: Error) => void process.stderr.write(`${error.message}\n`);

const notify = (peer: protoo.Peer, method: string, data: object) => void peer.notify(method, data).catch(() => {});

// biome-ignore lint/suspicious/noExplicitAny: mediasoup-demo does not check what it is sent
async function handle(room: DemoRoom, peer: protoo.Peer, own: DemoPeer, method: string, data: any): Promise<object> {
  switch (method) {
    case 'getRouterRtpCapabilities':
      return room.router.rtpCapabilities;
    case 'createWebRtcTransport': {
      const transport = await room.router.createWebRtcTransport({
        webRtcServer,
        enableSctp: true,
        initialAvailableOutgoingBitrate: 1_000_000,
      });
      own.transports.set(transport.id, transport);
      if (data.consuming) own.receiving = transport;
      else await transport.setMaxIncomingBitrate(1_500_000);
      const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
      return { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
    }
    case 'join': {
      own.joined = true;
      own.rtpCapabilities = data.rtpCapabilities;
      const others = joinedPeers(room, peer);
      for (const other of others) {
        for (const producer of (other.data as DemoPeer).producers.values())
          createConsumer(room, peer, other, producer).catch(warn);
        notify(other, 'newPeer', { id: peer.id, displayName: data.displayName, device: data.device });
      }
      return { peers: others.map(({ id }) => ({ id })) };
    }
    case 'connectWebRtcTransport':
      await own.transports.get(data.transportId)?.connect({ dtlsParameters: data.dtlsParameters });
      return {};
    case 'produce': {
      const { kind, rtpParameters, appData } = data;
      const transport = own.transports.get(data.transportId);
      if (!transport) throw new Error('no such transport');
      const producer = await transport.produce({ kind, rtpParameters, appData: { ...appData, peerId: peer.id } });
      own.producers.set(producer.id, producer);
      producer.on('score', (score) => notify(peer, 'producerScore', { producerId: producer.id, score }));
      for (const other of joinedPeers(room, peer)) createConsumer(room, other, peer, producer).catch(warn);
      return { id: producer.id };
    }
    default:
      throw new Error(`unknown method ${method}`);
  }
}

async function createConsumer(
  room: DemoRoom,
  to: protoo.Peer,
  from: protoo.Peer,
  producer: types.Producer,
): Promise<void> {
  const receiver = to.data as DemoPeer;
  const { rtpCapabilities, receiving } = receiver;
  if (!rtpCapabilities || !receiving) return;
  if (!room.router.canConsume({ producerId: producer.id, rtpCapabilities })) return;
  const consumer = await receiving.consume({ producerId: producer.id, rtpCapabilities, paused: true });
  receiver.consumers.set(consumer.id, consumer);
  consumer.on('transportclose', () => receiver.consumers.delete(consumer.id));
  consumer.on('producerclose', () => {
    receiver.consumers.delete(consumer.id);
    notify(to, 'consumerClosed', { consumerId: consumer.id });
  });
  consumer.on('score', (score) => notify(to, 'consumerScore', { consumerId: consumer.id, score }));
  await to.request('newConsumer', {
    peerId: from.id,
    producerId: producer.id,
    id: consumer.id,
    kind: consumer.kind,
    rtpParameters: consumer.rtpParameters,
    type: consumer.type,
    appData: producer.appData,
    producerPaused: consumer.producerPaused,
  });
  await consumer.resume();
  notify(to, 'consumerScore', { consumerId: consumer.id, score: consumer.score });
}

http.listen(0, '127.0.0.1', () => {
  const address = http.address();
  const port = typeof address === 'object' ? address?.port : '';
  process.stdout.write(`${JSON.stringify({ url: `wss://127.0.0.1:${port}` })}\n`);
});
