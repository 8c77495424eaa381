/// <reference path="./dynalite.d.ts" />
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import dynalite from 'dynalite';

/** A DynamoDB-compatible store inside this process, on a loopback port of its own. */
export type EmbeddedDynamo = {
  readonly endpoint: string;
  /** The credentials of requests. The store refuses all others. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  close(): Promise<void>;
};

/**
 * Starts the store. It keeps its tables in `dataDir`, which one process at a time uses and other users cannot read.
 *
 * Every local user and every web page reaches a loopback port, so the store asks for a secret. dynalite takes any signature;
 * the secret is the id of the access key, which each request names.
 *
 * @param accessKeyId the secret; random, unless a test shares the store between processes.
 * @throws Error that names the folder when it cannot be used.
 */
export async function startEmbeddedDynamo(
  dataDir: string,
  accessKeyId = randomBytes(24).toString('hex'),
): Promise<EmbeddedDynamo> {
  const path = join(dataDir, 'dynamodb');
  await keepToOwner(path);
  await tryDatabase(path);
  const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  askForKey(server, accessKeyId);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId, secretAccessKey: accessKeyId },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** Makes the folder and its files, also those of older versions, readable only by this process's user. */
async function keepToOwner(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  for (const { name } of (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile()))
    await chmod(join(path, name), 0o600);
  // LevelDB creates files at any time, with the umask of the process.
  process.umask(process.umask() | 0o077);
}

/** Refuses requests that do not name the key, before dynalite sees them. It gets no `Origin`, and so gives no CORS headers. */
function askForKey(server: Server, accessKeyId: string): void {
  const answer = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  const expected = Buffer.from(accessKeyId);
  server.on('request', (request, response) => {
    const named = Buffer.from(/\bCredential=([^/,\s]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '');
    if (named.length !== expected.length || !timingSafeEqual(named, expected)) {
      response.writeHead(403, { connection: 'close' }).end();
      return;
    }
    delete request.headers.origin;
    for (const listener of answer) listener.call(server, request, response);
  });
}

type Database = { open(): Promise<void>; close(): Promise<void> };

/** dynalite reports a database that does not open only by an uncatchable exception, so its own library tries first. */
async function tryDatabase(path: string): Promise<void> {
  const { Level } = createRequire(import.meta.resolve('dynalite'))('level') as {
    Level: new (path: string) => Database;
  };
  const database = new Level(path);
  try {
    await database.open();
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    throw new Error(`cannot use the store in ${path}; does another process? ${why}`, { cause: error });
  }
  await database.close();
}
