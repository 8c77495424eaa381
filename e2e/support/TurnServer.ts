import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

/**
 * Runs coturn on loopback until the test ends. It accepts credentials made with any of the secrets.
 *
 * @returns its URL.
 */
export async function startTurnServer(t: TestContext, secrets: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turn-'));
  const port = await freePort();
  const given = {
    'listening-ip': '127.0.0.1',
    'listening-port': String(port),
    'relay-ip': '127.0.0.1',
    realm: 'example.com',
    userdb: join(folder, 'turndb'),
    pidfile: join(folder, 'pid'),
    'log-file': 'stdout',
  };
  const flags = [
    '-n',
    '--verbose',
    '--use-auth-secret',
    '--allow-loopback-peers',
    '--no-cli',
    '--no-tcp',
    '--no-tls',
    '--no-dtls',
  ];
  const child = spawn(
    'turnserver',
    [
      ...flags,
      ...Object.entries(given).map(([option, value]) => `--${option}=${value}`),
      ...secrets.map((secret) => `--static-auth-secret=${secret}`),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    kill();
    await ended;
    process.off('exit', kill);
    await rm(folder, { recursive: true });
  });
  await new Promise<void>((resolve, reject) => {
    const log: string[] = [];
    createInterface(child.stdout).on('line', (line) => {
      log.push(line);
      if (/UDP listener opened on/.test(line)) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`turnserver ended with ${code}:\n${log.join('\n')}`)));
  });
  return `turn:127.0.0.1:${port}?transport=udp`;
}

/** A free port: coturn takes 0 for its default port. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
