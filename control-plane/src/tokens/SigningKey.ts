import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';

/** A key that signs tokens, its name and its public half. */
export type SigningKey = { readonly key: KeyObject; readonly kid: string; readonly jwk: JWK };

/** A new Ed25519 key in PEM (PKCS 8). */
export const generateKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/**
 * Reads a key in PEM (PKCS 8).
 *
 * @param name what errors call it.
 * @throws Error that names it.
 */
export async function readKey(pem: string, name: string): Promise<SigningKey> {
  const key = await Promise.resolve(pem).then(createPrivateKey).catch(fail(name, 'is not a private key in PEM'));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`the assignment key ${name} is not an Ed25519 key`);
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(jwk as { kty: 'OKP' });
  return { key, kid, jwk: { ...jwk, kty: 'OKP', kid, alg: 'EdDSA', use: 'sig' } };
}

/** @throws Error that names the file at fault. */
export async function readKeyFile(file: string): Promise<SigningKey> {
  return readKey(await readFile(file, 'utf8').catch(fail(file, 'cannot be read')), file);
}

/** Creates a key file unless it exists. The file is created atomically, so of several processes one wins. */
export async function generateKeyFile(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, generateKey(), { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
}

function fail(name: string, why: string) {
  return (error: unknown): never => {
    throw new Error(`the assignment key ${name} ${why}: ${(error as Error).message}`, { cause: error });
  };
}
