import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommandScope } from '@mediasoup-server/proto/http';
import { calculateJwkThumbprint, type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose';
import type { Grants } from './AccessTokens.ts';

/** A token is used at once, or asked for again. */
const TOKEN_LIFE_MS = 60_000;

/** A backend asks for another some minutes before; the media daemon takes no word of the control plane for it meanwhile. */
const COMMAND_TOKEN_LIFE_MS = 900_000;

/** What an assignment token says. */
export type AssignmentClaims = {
  readonly roomId: string;
  readonly peerId: string;
  readonly daemonId: string;
  readonly incarnation: string;
  readonly epoch: number;
  readonly grants: Grants;
};

export type SignedToken = { readonly token: string; readonly expiresAt: Date };

/** Signs assignment and command tokens (JWT, EdDSA with Ed25519) and publishes the key that proves them. */
export class AssignmentKeys {
  /** The public keys, RFC 7517. */
  readonly jwks: JSONWebKeySet;
  readonly #key: KeyObject;
  readonly #kid: string;

  private constructor(key: KeyObject, kid: string, jwks: JSONWebKeySet) {
    this.#key = key;
    this.#kid = kid;
    this.jwks = jwks;
  }

  /**
   * Reads the key from a PEM file (PKCS 8). Without a file, it is the one in the data folder, made there if need be.
   *
   * @throws Error that names the file at fault.
   */
  static async load(options: {
    file?: string | undefined;
    /** Keys that are published beside it: the next one, and former ones whose tokens live yet. */
    otherFiles?: readonly string[];
    dataDir: string;
  }): Promise<AssignmentKeys> {
    const file = options.file ?? join(options.dataDir, 'assignment-key.pem');
    if (options.file === undefined) await generateKeyFile(file);
    const signing = await readKey(file);
    const others = await Promise.all((options.otherFiles ?? []).map(readKey));
    // A key that is listed twice is published once: of two that have one name a verifier takes neither.
    const jwks = new Map([signing, ...others].map(({ jwk }) => [jwk.kid, jwk]));
    return new AssignmentKeys(signing.key, signing.jwk.kid, { keys: [...jwks.values()] });
  }

  sign(claims: AssignmentClaims): Promise<SignedToken> {
    return this.#sign('assignment+jwt', claims, TOKEN_LIFE_MS);
  }

  /** Signs a token for gRPC commands to any media daemon. */
  signCommand({ room, scopes }: { room: string; scopes: readonly CommandScope[] }): Promise<SignedToken> {
    return this.#sign('command+jwt', { room, scope: scopes.join(' ') }, COMMAND_TOKEN_LIFE_MS);
  }

  async #sign(typ: string, claims: JWTPayload, lifeMs: number): Promise<SignedToken> {
    const now = Math.floor(Date.now() / 1000);
    const expiresAt = new Date(now * 1000 + lifeMs);
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: this.#kid })
      .setIssuer('control-plane')
      .setAudience('media-daemon')
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .sign(this.#key);
    return { token, expiresAt };
  }
}

/** Makes a key unless the file exists. The file appears whole or not at all, and of several processes one wins. */
async function generateKeyFile(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, pem, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
}

/** @throws Error that names the file at fault. */
async function readKey(file: string) {
  const fail = (why: string) => (error: unknown) => {
    throw new Error(`the assignment key ${file} ${why}: ${(error as Error).message}`, { cause: error });
  };
  const pem = await readFile(file).catch(fail('cannot be read'));
  const key = await Promise.resolve(pem).then(createPrivateKey).catch(fail('is no private key in PEM'));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`the assignment key ${file} is not an Ed25519 key`);
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(jwk as { kty: 'OKP' });
  return { key, jwk: { ...jwk, kty: 'OKP', kid, alg: 'EdDSA', use: 'sig' } };
}
