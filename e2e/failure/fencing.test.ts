import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import type { DaemonInfo, DaemonList } from '@mediasoup-server/proto/http';
import { HttpRelay } from '../support/HttpRelay.ts';
import { commandsOf, Stack } from '../support/stack.ts';
import { TcpProxy } from '../support/TcpProxy.ts';
import { waitForSuccess, waitUntil } from '../support/waitUntil.ts';

const SUSPECT_AFTER_MS = 1000;
/** Peers keep their place longer than a test takes. */
const PATIENT = { MEDIA_DAEMON_MOVE_DEADLINE_MS: '3600000' };

/** Alice's room is on daemon-a, which can be cut off from the control plane; daemon-b stands by. */
async function fleet(t: TestContext) {
  const stack = await Stack.start(t, {
    CONTROL_PLANE_HEARTBEAT_INTERVAL_MS: '200',
    CONTROL_PLANE_SUSPECT_AFTER_MS: String(SUSPECT_AFTER_MS),
    CONTROL_PLANE_STATIC_DIR: '',
  });
  const http = await HttpRelay.start(t, stack.controlPlaneUrl);
  const grpc = await TcpProxy.start(t);
  const serving = await stack.startDaemon('daemon-a', {
    ...PATIENT,
    MEDIA_DAEMON_CONTROL_PLANE_URL: http.url,
    MEDIA_DAEMON_GRPC_ADDRESS: `127.0.0.1:${grpc.port}`,
    MEDIA_DAEMON_PING_INTERVAL_MS: '60000',
  });
  grpc.to = Number(serving.ready.grpcPort);
  const { alice, sessionId } = await joinAs(await stack.assign('lobby', 'alice'));
  const standby = await stack.startDaemon('daemon-b');
  const untilAssignedTo = (wanted: string) =>
    waitForSuccess(`a joiner is assigned to ${wanted}`, async () => {
      const assignment = await stack.assign('lobby', 'joiner');
      assert.equal(assignment.daemonId, wanted);
      return assignment;
    });
  const cutOff = () => {
    http.intercept = (_incoming, answer) => Boolean(answer.destroy());
    grpc.cut();
  };
  const heal = (intercept: HttpRelay['intercept'] = () => false) => {
    http.intercept = intercept;
    grpc.heal();
  };
  /** Waits until what the control plane knows of daemon-a satisfies a condition. */
  const untilKnown = async (what: string, wanted: (daemon: DaemonInfo) => boolean) => {
    let daemons: readonly DaemonInfo[] = [];
    const isKnown = async () => {
      ({ daemons } = (await (await fetch(`${stack.controlPlaneUrl}/daemons`)).json()) as DaemonList);
      return daemons.some((daemon) => daemon.daemonId === 'daemon-a' && wanted(daemon));
    };
    await waitUntil(what, isKnown, () => daemons);
  };
  return { stack, serving, standby, alice, sessionId, untilAssignedTo, untilKnown, cutOff, heal };
}

async function joinAs({ url }: { url: string }) {
  const alice = await SignalingClient.openUrl(url);
  const { sessionId } = await alice.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  return { alice, sessionId };
}

const isReady = ({ state }: DaemonInfo): boolean => state === 'ready';

/** The error code of a refused joiner. */
async function refusalOf(client: SignalingClient, peerId: string): Promise<number> {
  const answer = await client.ask('joinRoom', { roomId: 'lobby', peerId }).catch(() => undefined);
  assert.notEqual(answer?.ok, true, peerId);
  return answer?.errorCode ?? (await client.notified('error')).code;
}

test('S57 a fenced daemon refuses new peers, and gives its peers time to move', async (t) => {
  const { stack, serving, standby, alice, sessionId, untilAssignedTo, untilKnown, cutOff, heal } = await fleet(t);
  // Three peers that would be admitted if the daemon were not fenced.
  const assigned = await stack.assign('lobby', 'bob');
  const waiting = await SignalingClient.openUrl((await stack.assign('lobby', 'carol')).url);
  const tokenless = await SignalingClient.open(serving.url, 'lobby', 'dave');
  for (const client of [waiting, tokenless]) await client.request('ping');
  cutOff();
  const elsewhere = await untilAssignedTo('daemon-b');
  await alice.request('ping');
  heal();
  const { reason, deadlineMs } = await alice.notified('reconnect');
  assert.deepEqual([reason, deadlineMs > 0], ['fenced', true]);
  await untilKnown('daemon-a is ready', isReady);

  assert.equal(await refusalOf(waiting, 'carol'), 401);
  assert.equal(await refusalOf(await SignalingClient.openUrl(assigned.url), 'bob'), 401);
  assert.equal(await refusalOf(tokenless, 'dave'), 409, 'the room is elsewhere');
  // Alice stays, and is asked to move again after she resumes.
  alice.socket.terminate();
  const again = await SignalingClient.open(serving.url, 'lobby', 'alice');
  const resumed = await again.request('joinRoom', { roomId: 'lobby', peerId: 'alice', sessionId });
  assert.deepEqual([resumed.resumed, resumed.peers], [true, []]);
  assert.equal((await again.notified('reconnect')).reason, 'fenced');

  // The room is opened again on the same daemon, with a new epoch.
  standby.process.kill('SIGKILL');
  const back = await untilAssignedTo('daemon-a');
  assert.ok(back.epoch > elsewhere.epoch);
  const joiner = await SignalingClient.openUrl(back.url);
  assert.deepEqual((await joiner.request('joinRoom', { roomId: 'lobby', peerId: 'joiner' })).peers, []);
  again.close();
  const commands = commandsOf(t, serving);
  await waitUntil('the daemon has one room', async () => (await commands.getInfo({})).rooms <= 1);
  // The next heartbeat must not report the new room as closed.
  await stack.assign('lobby', 'later');
  const { daemonId, epoch } = await stack.assign('lobby', 'later');
  assert.deepEqual({ daemonId, epoch }, { daemonId: back.daemonId, epoch: back.epoch });
  await joiner.request('ping');
  assert.deepEqual(joiner.unread, []);
});

test('S58 a fenced daemon refuses new peers until it is registered again', async (t) => {
  const { serving, alice, sessionId, untilAssignedTo, untilKnown, cutOff, heal } = await fleet(t);
  const tokenless = await SignalingClient.open(serving.url, 'lobby', 'dave');
  cutOff();
  await untilAssignedTo('daemon-b');
  heal((incoming, answer) => Boolean(incoming.url?.endsWith('/registrations') && answer.destroy()));
  await alice.notified('reconnect');
  await assert.rejects(SignalingClient.open(serving.url, 'another', 'erin'), /503/);
  assert.equal(await refusalOf(tokenless, 'dave'), 503);
  assert.equal(await tokenless.closed, 1012);
  // Alice may resume, but not join again.
  alice.socket.terminate();
  const again = await SignalingClient.open(serving.url, 'lobby', 'alice');
  assert.equal((await again.request('joinRoom', { roomId: 'lobby', peerId: 'alice', sessionId })).resumed, true);
  const anew = await SignalingClient.open(serving.url, 'lobby', 'alice');
  assert.equal(await refusalOf(anew, 'alice'), 503);
  heal();
  await untilKnown('daemon-a is ready', isReady);
  await SignalingClient.join(serving.url, 'another', 'erin');
});

test('a daemon that is superseded while it is cut off lets its peers move and ends with 1', async (t) => {
  const { stack, serving, alice, untilKnown, cutOff, heal } = await fleet(t);
  cutOff();
  // A second daemon may take its id only then.
  await untilKnown('daemon-a is suspect', ({ heartbeatAt }) => Date.now() - Date.parse(heartbeatAt) > SUSPECT_AFTER_MS);
  await stack.startDaemon('daemon-a', PATIENT);
  const ended = once(serving.process, 'exit');
  heal();
  assert.equal((await alice.notified('reconnect')).reason, 'fenced');
  await assert.rejects(SignalingClient.open(serving.url, 'another', 'erin'), /503/);
  await alice.request('ping');
  assert.equal(serving.process.exitCode, null);
  alice.close();
  assert.deepEqual(await ended, [1, null]);
});
