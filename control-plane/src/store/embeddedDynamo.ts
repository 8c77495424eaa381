/// <reference path="./dynalite.d.ts" />
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import dynalite from 'dynalite';

/** A DynamoDB-compatible store inside this process, on a loopback port of its own. */
export type EmbeddedDynamo = { readonly endpoint: string; close(): Promise<void> };

/**
 * Starts the store. It keeps its tables in `dataDir`, which one process at a time uses.
 *
 * @throws Error that names the folder when it cannot be used.
 */
export async function startEmbeddedDynamo(dataDir: string): Promise<EmbeddedDynamo> {
  const path = join(dataDir, 'dynamodb');
  await mkdir(path, { recursive: true });
  await tryDatabase(path);
  const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

type Database = { open(): Promise<void>; close(): Promise<void> };

/** dynalite tells of a database that does not open only by an exception that nobody can catch; its own library does. */
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
