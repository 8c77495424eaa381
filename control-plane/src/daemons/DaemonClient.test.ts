import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { TestDaemon } from '../testing/TestDaemon.ts';
import { DaemonClient } from './DaemonClient.ts';

describe('DaemonClient', () => {
  let daemon: TestDaemon;
  let client: DaemonClient;
  let target: TestDaemon;
  /** The connections that were made to the daemon, of which broken ones are reset when something is sent. */
  const connections: { readonly socket: Socket; broken: boolean }[] = [];
  const server = createServer((socket) => {
    const connection = { socket, broken: false };
    connections.push(connection);
    const upstream = connect(Number(daemon.grpcAddress.split(':')[1]), '127.0.0.1');
    socket.on('data', (data) => (connection.broken ? socket.resetAndDestroy() : upstream.write(data)));
    upstream.pipe(socket);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const)
      one.on('error', () => {}).on('close', () => other.destroy());
  });

  before(async () => {
    daemon = await TestDaemon.start('daemon');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const grpcAddress = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    target = Object.create(daemon, { grpcAddress: { value: grpcAddress } });
    client = new DaemonClient({
      needsTokens: true,
      sign: async () => ({ token: 'token', expiresAt: new Date(Date.now() + 900_000) }),
    });
  });
  after(async () => {
    await client.close();
    daemon.die();
    server.close();
    for (const { socket } of connections) socket.destroy();
  });

  test('createRoom keeps its connection, and is sent again on another one when that has broken', async () => {
    await client.createRoom(target, 'a', 1);
    await client.createRoom(target, 'b', 1);
    assert.equal(connections.length, 1);
    const [first] = connections;
    if (first) first.broken = true;
    await client.createRoom(target, 'c', 1);
    assert.equal(connections.length, 2);
    assert.deepEqual([...daemon.created.keys()], ['a', 'b', 'c']);
  });

  test('createRoom after half a minute without commands uses no former connection', async (t) => {
    await client.createRoom(target, 'd', 1);
    const before = connections.length;
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 });
    await client.createRoom(target, 'e', 1);
    assert.equal(connections.length, before + 1);
  });

  test('a command token names the daemon, its incarnation and the room', async (t) => {
    const signed: object[] = [];
    const own = new DaemonClient({
      needsTokens: true,
      sign: async (command) => {
        signed.push(command);
        return { token: 'token', expiresAt: new Date(Date.now() + 60_000) };
      },
    });
    const { daemonId, incarnation } = daemon;
    await own.createRoom(daemon, 'a', 1);
    await own.moveRoom(daemon, 'b', 2);
    // The deadline of a probe is short: a busy machine may need several.
    const probed = async () => assert.equal(await own.probe(daemon, { fresh: true }), true);
    await t.waitFor(probed, { interval: 100, timeout: 60_000 });
    await own.close();
    const [first, second, ...probes] = signed;
    const ofRoom = (roomId?: string) => ({ daemonId, incarnation, roomId });
    assert.deepEqual([first, second], [ofRoom('a'), ofRoom('b')]);
    assert.deepEqual(
      probes,
      probes.map(() => ofRoom()),
    );
  });

  test('no token is sent in plain text beyond loopback', async () => {
    const own = new DaemonClient({
      needsTokens: true,
      sign: () => assert.fail('a token was signed'),
    });
    const remote = { daemonId: 'daemon', incarnation: 'first', grpcAddress: '192.0.2.1:1' };
    await assert.rejects(own.createRoom(remote, 'a', 1), /plain text to 192\.0\.2\.1:1.*CONTROL_PLANE_DAEMON_TLS=true/);
    await assert.rejects(own.moveRoom(remote, 'a', 1), /plain text/);
    assert.equal(await own.probe(remote), false);
    await own.close();
  });

  test('createRoom rejects when the daemon is unreachable', async () => {
    const other = await TestDaemon.start('other');
    await client.createRoom(other, 'a', 1);
    other.die();
    await assert.rejects(client.createRoom(other, 'b', 1), /UNAVAILABLE/);
  });
});
