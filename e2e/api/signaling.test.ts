import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { type Method, type Notification, notifications, requests } from '@mediasoup-server/proto/signaling';
import { OpusReceiver, OpusSender } from '../support/rtp.ts';

/** The examples of the reference, which `make record` writes. */
const EXAMPLES = new URL('../../proto/signaling-examples.json', import.meta.url);
/** Messages that nothing sends yet: the reference says that they have no example. */
const NOT_RECORDED: Notification[] = ['consumerClosed', 'transportClosed', 'messagesMissed'];

type Message = { request?: true; response?: true; notification?: true; id?: number; method?: string; data?: unknown };
type Examples = {
  requests: Record<string, { request: Message; response: Message }>;
  refused?: { request: Message; response: Message };
  resumed?: { request: Message; response: Message };
  notifications: Record<string, Message>;
};

/** Keeps the first of each message on the wire, and checks all of them against their schemas. */
class Recorder {
  readonly examples: Examples = { requests: {}, notifications: {} };

  watch(client: SignalingClient): SignalingClient {
    const asked = new Map<number, Message>();
    const send = client.socket.send.bind(client.socket) as (text: string) => void;
    client.socket.send = ((text: string) => {
      const message: Message = JSON.parse(text);
      if (message.request && message.id !== undefined) asked.set(message.id, message);
      send(text);
    }) as typeof client.socket.send;
    client.socket.on('message', (text) => {
      const message = JSON.parse(text.toString());
      if (message.notification) this.#notified(message);
      const request = message.response && asked.get(message.id);
      if (request) this.#answered(request, message);
    });
    return client;
  }

  #notified(message: Message): void {
    const method = message.method as Notification;
    notifications[method].data.parse(message.data);
    this.examples.notifications[method] ??= message;
  }

  #answered(request: Message, response: Message & { ok?: boolean }): void {
    if (!response.ok) {
      this.examples.refused ??= { request, response };
      return;
    }
    const method = request.method as Method;
    const { resumed } = requests[method].response.parse(response.data) as { resumed?: boolean };
    if (resumed) this.examples.resumed ??= { request, response };
    else this.examples.requests[method] ??= { request, response };
  }
}

async function join(recorder: Recorder, url: string, roomId: string, peerId: string, more: object = {}) {
  const client = recorder.watch(await SignalingClient.open(url, roomId, peerId));
  return { client, joined: await client.request('joinRoom', { roomId, peerId, ...more }) };
}

/** A meeting that uses every message between client and daemon. */
async function meet(t: TestContext): Promise<Examples> {
  const { url, grpcPort } = await testDaemon(t);
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const commands = serviceCalls(MediaDaemon, client);
  const recorder = new Recorder();

  const both = { transports: ['send', 'recv'], appData: { displayName: 'Bob' } };
  const { client: bob, joined: bobs } = await join(recorder, url, 'lobby', 'bob', both);
  const { client: alice } = await join(recorder, url, 'lobby', 'alice');
  await alice.request('updateAppData', { appData: { displayName: 'Alice' } });

  const sending = await alice.request('createWebRtcTransport', { direction: 'send' });
  const sender = new OpusSender(sending, 4711);
  t.after(() => sender.close());
  const audio = await alice.request('produce', {
    kind: 'audio',
    rtpParameters: sender.rtpParameters,
    appData: { source: 'microphone' },
  });
  const rtpParameters = sender.sendSimulcast([5001, 5002]);
  const video = await alice.request('produce', { kind: 'video', rtpParameters, appData: { source: 'camera' } });
  const channel = await alice.request('produceData', {
    sctpStreamParameters: { streamId: 1, ordered: true },
    label: 'chat',
  });

  const { rtpCapabilities, transports } = bobs;
  await bob.notified('newProducer', ({ producerId }) => producerId === audio.producerId);
  const heard = await bob.request('consume', { producerId: audio.producerId, rtpCapabilities });
  const receiver = new OpusReceiver(transports.recv, heard.rtpParameters);
  t.after(() => receiver.close());
  await bob.request('connectWebRtcTransport', {
    transportId: transports.recv.transportId,
    dtlsParameters: receiver.dtlsParameters,
  });
  // Media flows only now, which changes the scores of the consumers.
  const { transportId } = sending;
  await alice.request('connectWebRtcTransport', { transportId, dtlsParameters: sender.dtlsParameters });
  const { consumerId } = heard;
  await bob.request('resume', { consumerId });
  for (const told of ['consumerResumed', 'audioLevels', 'activeSpeaker', 'consumerScore']) await bob.notified(told);
  await alice.notified('producerScore');
  const seen = await bob.request('consume', { producerId: video.producerId, rtpCapabilities });
  await bob.request('setPreferredLayers', { consumerId: seen.consumerId, spatialLayer: 0, temporalLayer: 0 });
  await bob.request('setPriority', { consumerId: seen.consumerId, priority: 200 });
  await bob.request('requestKeyFrame', { consumerId: seen.consumerId });
  await bob.request('resume', { consumerId: seen.consumerId });
  await bob.notified('consumerLayersChanged');
  await alice.notified('producerLayersWanted');
  await bob.request('getStats', { consumerId });
  await bob.request('restartIce', { transportId: transports.recv.transportId });
  const chat = await bob.request('consumeData', { dataProducerId: channel.dataProducerId });

  await bob.request('pause', { consumerId });
  await bob.notified('consumerPaused');
  await alice.request('pauseProducer', { producerId: audio.producerId });
  await alice.request('resumeProducer', { producerId: audio.producerId });
  const muted = { roomId: 'lobby', producerId: audio.producerId, by: 'moderator' };
  await commands.pauseProducer(muted);
  await alice.notified('producerPaused');
  await commands.resumeProducer(muted);
  await alice.notified('producerResumed');
  await commands.sendNotification({ roomId: 'lobby', from: 'moderator', dataJson: '{"text":"Welcome"}' });
  await bob.notified('message');
  await bob.ask('consume', { producerId: 'gone', rtpCapabilities });
  bob.socket.send(JSON.stringify({ notification: true, method: 'resume', data: { consumerId: 'gone' } }));
  await bob.notified('error');
  await alice.request('sendMessage', { senderId: '1f0c', number: 0, data: 'Hello', topic: 'chat' });
  await bob.notified('peerMessage');
  bob.socket.terminate();
  const { client: bobAgain, joined } = await join(recorder, url, 'lobby', 'bob', { sessionId: bobs.sessionId });
  assert.equal(joined.resumed, true);

  await bobAgain.request('closeConsumer', { consumerId });
  await bobAgain.request('closeDataConsumer', { dataConsumerId: chat.dataConsumerId });
  await alice.request('closeDataProducer', { dataProducerId: channel.dataProducerId });
  await alice.request('closeProducer', { producerId: audio.producerId });
  await bobAgain.notified('producerClosed');
  await bobAgain.request('ping');
  await alice.request('leaveRoom');
  await bobAgain.notified('peerLeft');

  const { client: carol } = await join(recorder, url, 'hall', 'carol');
  await commands.closeRoom({ roomId: 'hall', reason: 'the hour is over' });
  await carol.notified('roomClosed');
  for (const { pid } of (await commands.getInfo({})).workers) process.kill(pid, 'SIGKILL');
  await bobAgain.notified('reconnect');
  return recorder.examples;
}

test('each message of a real meeting matches its schema, and the meeting has every message', async (t) => {
  const recorded = await meet(t);
  assert.deepEqual(Object.keys(recorded.requests).sort(), Object.keys(requests).sort());
  assert.deepEqual(
    [...Object.keys(recorded.notifications), ...NOT_RECORDED].sort(),
    Object.keys(notifications).sort(),
    'a notification that came up, or ceased to, is added to or taken from NOT_RECORDED',
  );
  assert.ok(recorded.refused && recorded.resumed);
  if (process.env.RECORD) await writeFile(EXAMPLES, `${JSON.stringify(recorded, null, 2)}\n`);
});

test('the examples of the reference match the schemas, and each message has one', async () => {
  const examples: Examples = JSON.parse(await readFile(EXAMPLES, 'utf8'));
  assert.deepEqual(Object.keys(examples.requests).sort(), Object.keys(requests).sort());
  for (const [method, { request, response }] of Object.entries(examples.requests)) {
    requests[method as Method].data.parse(request.data);
    requests[method as Method].response.parse(response.data);
  }
  assert.deepEqual([...Object.keys(examples.notifications), ...NOT_RECORDED].sort(), Object.keys(notifications).sort());
  for (const [method, { data }] of Object.entries(examples.notifications))
    notifications[method as Notification].data.parse(data);
});
