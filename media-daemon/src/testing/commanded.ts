import type { TestContext } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { opusRtpParameters } from './opus.ts';
import { SignalingClient } from './SignalingClient.ts';
import { testDaemon } from './testDaemon.ts';

/** A daemon and its commands. */
export async function commanded(t: TestContext, environment: Record<string, string> = {}) {
  const daemon = await testDaemon(t, environment);
  const client = new Client(`127.0.0.1:${daemon.grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  return { ...daemon, commands: serviceCalls(MediaDaemon, client) };
}

/** Alice sends sound to Bob. */
export async function callInRoom(t: TestContext) {
  const { commands, url } = await commanded(t);
  const join = async (peerId: string) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joined = await client.request('joinRoom', { roomId: 'room', peerId, transports: ['send', 'recv'] });
    return { client, rtpCapabilities: joined.rtpCapabilities };
  };
  const { client: alice } = await join('alice');
  const { client: bob, rtpCapabilities } = await join('bob');
  const produced = { kind: 'audio', rtpParameters: opusRtpParameters(), appData: { source: 'microphone' } };
  const { producerId } = await alice.request('produce', produced);
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities, paused: false });
  return { commands, url, alice, bob, producerId, consumerId };
}
