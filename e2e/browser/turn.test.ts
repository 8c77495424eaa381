import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { iceServersFor } from '@mediasoup-server/server-kit/iceServers';
import nodeDataChannel, { type IceServer } from 'node-datachannel';
import { joinDemo, openPages, seesAndHears } from '../support/browser.ts';
import { Stack } from '../support/stack.ts';
import { startTurnServer } from '../support/TurnServer.ts';

const SECRET = 'a secret of the tests alone';
const FORMER_SECRET = 'the secret that was used before';

/** The ICE server that clients get, for libdatachannel. */
function relayOf(servers: ReturnType<typeof iceServersFor>): IceServer {
  const [{ urls, username = '', credential = '' } = { urls: [] }] = servers;
  const [, hostname = '', port = ''] = /^turn:(.+):(\d+)\?/.exec(String(urls)) ?? [];
  return { hostname, port: Number(port), username, password: credential, relayType: 'TurnUdp' };
}

/** Whether the TURN server allocates a relay with these credentials. */
async function allocates(t: TestContext, server: IceServer): Promise<boolean> {
  const connection = new nodeDataChannel.PeerConnection('relayed', {
    iceServers: [server],
    iceTransportPolicy: 'relay',
  });
  t.after(() => connection.close());
  let relays = 0;
  connection.onLocalCandidate((candidate) => {
    if (candidate.includes('typ relay')) relays++;
  });
  const gathered = new Promise<void>((resolve) =>
    connection.onGatheringStateChange((state) => state === 'complete' && resolve()),
  );
  connection.createDataChannel('any');
  await gathered;
  return relays > 0;
}

test('coturn accepts unexpired credentials of the present and the former secret, and no others', async (t) => {
  const url = await startTurnServer(t, [SECRET, FORMER_SECRET]);
  const told = (turnSecret: string, age = 0, peerId = 'Zoë: a "peer"') =>
    relayOf(
      iceServersFor(
        peerId,
        { iceServers: [], turnUrls: [url], turnSecret, turnCredentialSeconds: 60 },
        Date.now() - age,
      ),
    );
  const good = told(SECRET);
  assert.ok(await allocates(t, good), 'new ones');
  assert.ok(await allocates(t, told(FORMER_SECRET)), 'of a former secret');
  assert.ok(await allocates(t, told(SECRET, 0, 'ü'.repeat(64))), 'of a peer with a long id');
  assert.ok(!(await allocates(t, told(SECRET, 61_000))), 'expired');
  assert.ok(!(await allocates(t, told('a secret of somebody else'))), 'of another secret');
  const later = String(good.username).replace(/^\d+/, (until) => String(Number(until) + 3600));
  assert.ok(!(await allocates(t, { ...good, username: later })), 'with a later end than was signed');
});

test('control plane and daemon give a peer its TURN credentials', async (t) => {
  const settings = { TURN_URLS: 'turn:turn.example.com', TURN_SECRET: SECRET };
  const of = (prefix: string) =>
    Object.fromEntries(Object.entries(settings).map(([name, value]) => [prefix + name, value]));
  const stack = await Stack.start(t, of('CONTROL_PLANE_'));
  await stack.startDaemon('daemon-a', of('MEDIA_DAEMON_'));
  const assignment = await stack.assign('lobby', 'alice');
  const client = await SignalingClient.openUrl(assignment.url);
  const joined = await client.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  for (const { iceServers } of [assignment, joined]) {
    const [{ urls, username, credential }] = iceServers;
    assert.deepEqual(urls, ['turn:turn.example.com']);
    const [until, name] = username.split(':');
    assert.equal(name, 'alice');
    assert.ok(Number(until) > Date.now() / 1000 + 3600, 'it lasts longer than a call');
    assert.equal(credential, createHmac('sha1', SECRET).update(username).digest('base64'));
  }
});

test('two browsers that may only use a TURN server see and hear each other', async (t) => {
  const url = await startTurnServer(t, [SECRET]);
  const stack = await Stack.start(t);
  await stack.startDaemon('daemon-a', { MEDIA_DAEMON_TURN_URLS: url, MEDIA_DAEMON_TURN_SECRET: SECRET });
  const pages = await openPages(t, stack.controlPlaneUrl, 2);
  await Promise.all(
    pages.map(async (page, index) => {
      await page.addInitScript(relayAlone);
      await page.reload();
      await joinDemo(page, 'lobby', `Peer ${index}`);
    }),
  );
  await Promise.all(pages.map(seesAndHears));
  for (const page of pages) assert.deepEqual(new Set(await page.evaluate(pathsOfMedia)), new Set(['relay']));
});

/** Makes every connection of the page use TURN relays only. */
function relayAlone(): void {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
    }
  };
}

/** The type of the page's own candidate that each connection uses. */
async function pathsOfMedia(): Promise<unknown[]> {
  const { room } = window as unknown as { room: { getStatsReports(): Promise<RTCStatsReport[]> } };
  return (await room.getStatsReports()).map((report) => {
    const all = new Map(report.entries());
    const transport = [...all.values()].find(({ type }) => type === 'transport');
    return all.get(all.get(transport?.selectedCandidatePairId)?.localCandidateId)?.candidateType;
  });
}
