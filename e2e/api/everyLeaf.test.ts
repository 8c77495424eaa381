import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { unlimitedRates } from '@mediasoup-server/media-daemon/testing/unlimitedRates';
import { requests } from '@mediasoup-server/proto/signaling';
import { hostileValues, placesIn, withValue } from '../support/leaves.ts';
import { runDaemon } from '../support/stack.ts';
import { validRequests } from '../support/validRequests.ts';

/** Two equally valid variants: sound and video, sending and receiving. */
const PICKS = [1, 2];
/** Valid requests that are refused: the peer has joined and has its transports, and audio has no layers. */
const REFUSED = ['joinRoom', 'createWebRtcTransport', 'setPreferredLayers'];

test('no value in any place of a request causes an internal error, and other rooms on the worker continue', async (t) => {
  const daemon = await runDaemon(t, {
    MEDIA_DAEMON_WORKERS: '1',
    ...unlimitedRates,
  });
  const url = String(daemon.ready.url);
  const join = async (roomId: string, peerId: string) => {
    const client = await SignalingClient.open(url, roomId, peerId);
    const joined = await client.request('joinRoom', { roomId, peerId, transports: ['send', 'recv'] });
    return { client, joined };
  };
  const bystander = await join('other', 'bystander');
  const owner = await join('room', 'owner');
  const ownersProduct = await owner.client.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const ownersData = await owner.client.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  const { codecs, headerExtensions } = bystander.joined.rtpCapabilities;
  // One of each kind: the others have the same members.
  const rtpCapabilities = { codecs: codecs.slice(0, 1), headerExtensions: headerExtensions.slice(0, 1) };

  let messages = 0;
  for (const method of Object.keys(requests).filter((name) => name !== 'leaveRoom'))
    for (const pick of PICKS) {
      let attacker = await join('room', 'attacker');
      const ids = async () => {
        const { client, joined } = attacker;
        const { producerId } = await client.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
        const consumed = { ...ownersProduct, rtpCapabilities };
        const { consumerId } = await client.request('consume', consumed);
        const { dataConsumerId } = await client.request('consumeData', ownersData);
        const sctpStreamParameters = { streamId: 999 };
        const { dataProducerId } = await client.request('produceData', { sctpStreamParameters });
        const { sessionId, transports } = joined;
        const { transportId } = transports.send;
        const own = { producerId, consumerId, dataProducerId, dataConsumerId, sessionId, transportId };
        const known = method.startsWith('consume') ? { ...own, ...ownersProduct, ...ownersData } : own;
        return (name: string): string => known[name];
      };
      let id = await ids();
      const valid = () => validRequests(pick, { peerId: 'attacker', id, rtpCapabilities })[method] ?? {};
      const changes = placesIn(valid()).flatMap((place) => hostileValues.map((value) => ({ place, value })));
      for (const change of [undefined, ...changes]) {
        messages++;
        const data = change ? withValue(valid(), change.place, change.value) : valid();
        const answer = await attacker.client.ask(method, data).catch(() => undefined);
        const about = `${method}, ${change?.place.join('.')}: ${JSON.stringify(change?.value)?.slice(0, 50)}`;
        assert.notEqual(answer?.errorCode, 500, about);
        if (!change && !REFUSED.includes(method)) assert.ok(answer?.ok, `${method}: ${answer?.errorReason}`);
        if (answer?.ok && method.startsWith('produce')) {
          const closing = method === 'produce' ? 'closeProducer' : 'closeDataProducer';
          await attacker.client.request(closing, answer.data);
        }
        if (answer?.ok && method === 'consume') await attacker.client.request('closeConsumer', answer.data);
        if (attacker.client.socket.readyState !== 1) {
          attacker = await join('room', 'attacker');
          id = await ids();
        }
      }
      attacker.client.close();
      await attacker.client.closed;
      const guest = await join('other', 'guest');
      const { producerId } = await guest.client.request('produce', {
        kind: 'audio',
        rtpParameters: opusRtpParameters(),
      });
      await bystander.client.request('consume', { producerId, rtpCapabilities: bystander.joined.rtpCapabilities });
      guest.client.close();
      await guest.client.closed;
    }
  t.diagnostic(`${messages} messages`);
  for (const { client } of [bystander, owner]) assert.ok(!client.unread.includes('reconnect'), 'its worker has died');
  const metrics = await (await fetch(`http://127.0.0.1:${daemon.ready.metricsPort}/metrics`)).text();
  assert.match(metrics, /^media_daemon_worker_deaths_total 0$/m);
});
