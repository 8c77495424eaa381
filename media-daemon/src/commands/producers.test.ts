import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { callInRoom } from '../testing/commanded.ts';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';

test('S53 `PauseProducer` pauses a producer, which its owner cannot resume until `ResumeProducer`', async (t) => {
  const { commands, alice, bob, producerId, consumerId } = await callInRoom(t);
  const muting = { roomId: 'room', producerId, by: 'moderator' };
  for (let time = 0; time < 2; time++) await commands.pauseProducer(muting);
  assert.deepEqual(await alice.notified('producerPaused'), { producerId, by: 'moderator', mayResume: false });
  assert.deepEqual(await bob.notified('consumerPaused'), { consumerId });
  assert.equal((await alice.ask('resumeProducer', { producerId })).errorCode, 403);
  const muted = async () => (await commands.listPeers({ roomId: 'room' })).peers[0]?.producers[0];
  assert.deepEqual([(await muted())?.paused, (await muted())?.pausedByCommand], [true, true]);
  for (let time = 0; time < 2; time++) await commands.resumeProducer(muting);
  assert.deepEqual(await alice.notified('producerResumed'), { producerId, by: 'moderator' });
  assert.deepEqual(await bob.notified('consumerResumed'), { consumerId });

  // What its owner has paused stays so.
  await alice.request('pauseProducer', { producerId });
  await bob.notified('consumerPaused');
  await commands.pauseProducer(muting);
  await commands.resumeProducer(muting);
  await alice.notified('producerResumed');
  assert.equal((await muted())?.paused, true);
  await alice.request('resumeProducer', { producerId });
  await bob.notified('consumerResumed');
  assert.deepEqual(alice.unread.filter((name) => name.startsWith('producerPaused')).length, 1);
});

test('S61 a muted peer stays muted when it produces or joins again, and one that was only asked to be silent may unmute', async (t) => {
  const { commands, url, alice, bob, producerId } = await callInRoom(t);
  const sound = { kind: 'audio', rtpParameters: opusRtpParameters() };
  const muting = { roomId: 'room', by: 'moderator' };
  await commands.pauseProducer({ ...muting, producerId });
  await alice.notified('producerPaused');
  await alice.request('closeProducer', { producerId });
  const { producerId: again } = await alice.request('produce', sound);
  const told = { by: 'moderator', mayResume: false };
  assert.deepEqual(await alice.notified('producerPaused'), { producerId: again, ...told });
  assert.equal((await bob.notified('newProducer', (data) => data.producerId === again)).paused, true);
  assert.equal((await alice.ask('resumeProducer', { producerId: again })).errorCode, 403);

  await alice.request('leaveRoom');
  const anew = await SignalingClient.open(url, 'room', 'alice');
  await anew.request('joinRoom', { roomId: 'room', peerId: 'alice', transports: ['send'] });
  const { producerId: third } = await anew.request('produce', sound);
  assert.deepEqual(await anew.notified('producerPaused'), { producerId: third, ...told });
  await commands.resumeProducer({ ...muting, producerId: third });
  await anew.notified('producerResumed');
  const { producerId: fourth } = await anew.request('produce', {
    ...sound,
    rtpParameters: { ...opusRtpParameters(), mid: '2' },
  });
  const isPaused = async (id: string) =>
    (await commands.listPeers({ roomId: 'room' })).peers[0]?.producers.find((each) => each.producerId === id)?.paused;
  assert.equal(await isPaused(fourth), false);

  const asking = { ...muting, producerId: fourth, ownerMayResume: true };
  for (let time = 0; time < 2; time++) await commands.pauseProducer(asking);
  assert.deepEqual(await anew.notified('producerPaused'), { producerId: fourth, by: 'moderator', mayResume: true });
  assert.equal(await isPaused(fourth), true);
  await anew.request('resumeProducer', { producerId: fourth });
  assert.equal(await isPaused(fourth), false);
  // What was forbidden may be left to the owner after all.
  await commands.pauseProducer({ ...muting, producerId: fourth });
  assert.equal((await anew.notified('producerPaused')).mayResume, false);
  await commands.pauseProducer(asking);
  assert.equal((await anew.notified('producerPaused')).mayResume, true);
  await anew.request('resumeProducer', { producerId: fourth });
  await anew.request('closeProducer', { producerId: fourth });
  const { producerId: fifth } = await anew.request('produce', {
    ...sound,
    rtpParameters: { ...opusRtpParameters(), mid: '3' },
  });
  assert.equal(await isPaused(fifth), false);
});

test('S54 `CloseProducer` closes a producer and notifies all peers', async (t) => {
  const { commands, alice, bob, producerId } = await callInRoom(t);
  await commands.closeProducer({ roomId: 'room', producerId });
  for (const peer of [alice, bob])
    assert.deepEqual(await peer.notified('producerClosed'), { producerId, peerId: 'alice' });
  await assert.rejects(commands.closeProducer({ roomId: 'room', producerId }), { code: status.NOT_FOUND });

  const channel = { sctpStreamParameters: { streamId: 1 }, label: 'chat', protocol: 'json', appData: { a: 1 } };
  const { dataProducerId } = await alice.request('produceData', channel);
  const [described] = (await commands.listPeers({ roomId: 'room' })).peers;
  const { $typeName, ...listed } = described?.dataProducers[0] ?? {};
  assert.deepEqual(listed, { dataProducerId, label: 'chat', protocol: 'json', appDataJson: '{"a":1}' });
  await commands.closeProducer({ roomId: 'room', producerId: dataProducerId });
  for (const peer of [alice, bob])
    assert.deepEqual(await peer.notified('dataProducerClosed'), { dataProducerId, peerId: 'alice' });
});
