import { createWorker, type types } from 'mediasoup';
import { WebSocketServer } from 'ws';

/**
 * The smallest server that forwards the load's media: one room on mediasoup, without checks, limits or observers. It prints
 * the URL it listens on.
 */

const worker = await createWorker({ logLevel: 'none' });
const listenInfos = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, ip: '127.0.0.1' }));
const webRtcServer = await worker.createWebRtcServer({ listenInfos });
const mediaCodecs: types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
];
const router = await worker.createRouter({ mediaCodecs });
const producers: types.Producer[] = [];
const consumers = new Map<string, types.Consumer>();

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ url: `ws://127.0.0.1:${typeof address === 'object' && address?.port}` })}\n`,
  );
});
server.on('connection', (socket) => {
  let transport: types.WebRtcTransport;
  socket.on('message', async (text) => {
    const { id, method, data } = JSON.parse(String(text));
    const send = (message: object) => socket.send(JSON.stringify(message));
    const accept = (answer: object) => send({ response: true, id, ok: true, data: answer });
    if (method === 'joinRoom') {
      transport = await router.createWebRtcTransport({ webRtcServer, enableSctp: true });
      const { id: transportId, iceParameters, iceCandidates, dtlsParameters } = transport;
      const options = { transportId, iceParameters, iceCandidates, dtlsParameters };
      accept({ rtpCapabilities: router.rtpCapabilities, transports: { send: options, recv: options } });
      for (const { id: producerId } of producers)
        send({ notification: true, method: 'newProducer', data: { producerId } });
    } else if (method === 'connectWebRtcTransport') accept((await transport.connect(data)) ?? {});
    else if (method === 'produce') {
      producers.push(await transport.produce({ ...data, keyFrameRequestDelay: 500 }));
      accept({});
    } else if (method === 'consume') {
      const consumer = await transport.consume({ ...data, paused: true });
      consumers.set(consumer.id, consumer);
      accept({ consumerId: consumer.id, rtpParameters: consumer.rtpParameters });
    } else accept((await consumers.get(data.consumerId)?.resume()) ?? {});
  });
});
