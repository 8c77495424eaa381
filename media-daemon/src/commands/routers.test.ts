import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { openChannel } from '@mediasoup-server/backend-client/channel';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

test('`getRoom` and the metrics show a room’s routers, its pipes and the load of its workers', async (t) => {
  const { url, grpcPort, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_WORKERS: '2',
    MEDIA_DAEMON_SATURATED_CONSUMERS: '0',
  });
  const channel = openChannel(`127.0.0.1:${grpcPort}`);
  t.after(() => channel.close());
  const { getRoom, getInfo } = serviceCalls(MediaDaemon, channel);
  const metric = async (name: string) => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(text.split(`\nmedia_daemon_${name} `)[1]?.split('\n')[0]);
  };
  const join = async (peerId: string) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joining = { roomId: 'room', peerId, transports: ['send', 'recv'] };
    return { client, joined: await client.request('joinRoom', joining) };
  };
  const { client: alice, joined } = await join('alice');
  const { client: bob } = await join('bob');
  await join('carol');
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const { dataProducerId } = await alice.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities: joined.rtpCapabilities });
  await bob.request('consume', { producerId, rtpCapabilities: joined.rtpCapabilities, paused: false });
  const { dataConsumerId } = await bob.request('consumeData', { dataProducerId });

  const { room, routers, pipes } = await getRoom({ roomId: 'room' });
  assert.equal(room?.peers.length, 3);
  assert.deepEqual(
    routers.map(({ peers, worker }) => [peers, worker?.rooms, worker?.consumers, worker?.saturated]),
    [
      [2, 1, 2, true],
      [1, 1, 3, true],
    ],
    'a pipe has one consumer where it begins',
  );
  const [fromWorkerPid, toWorkerPid] = routers.map(({ worker }) => worker?.pid);
  assert.deepEqual(
    pipes.map(({ $typeName, ...pipe }) => pipe),
    [
      { producerId, kind: 'audio', fromWorkerPid, toWorkerPid, consumers: 2, flowing: 1 },
      { producerId: dataProducerId, kind: 'data', fromWorkerPid, toWorkerPid, consumers: 1, flowing: 1 },
    ],
  );
  const { workers } = await getInfo({});
  assert.deepEqual(workers.map(({ consumers }) => consumers).sort(), [2, 3]);
  assert.deepEqual(await Promise.all(['routers', 'pipes', 'workers_saturated'].map(metric)), [2, 2, 2]);
  const slots = ['0', '1'].map((slot) => metric(`worker_consumers{worker="${slot}"}`));
  assert.deepEqual((await Promise.all(slots)).sort(), [2, 3]);

  await bob.request('closeConsumer', { consumerId });
  await bob.request('closeDataConsumer', { dataConsumerId });
  assert.equal(await metric('pipes'), 1);
  assert.deepEqual(
    (await getRoom({ roomId: 'room' })).pipes.map(({ consumers }) => consumers),
    [1],
  );
});
