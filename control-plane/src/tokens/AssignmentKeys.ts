import { join } from 'node:path';
import type { CommandScope } from '@mediasoup-server/proto/http';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose';
import type { Grants } from './AccessTokens.ts';
import { generateKeyFile, readKeyFile, type SigningKey } from './SigningKey.ts';

/** Lifetime of assignment tokens, and of the control plane's own command tokens. They are used at once. */
const TOKEN_LIFE_MS = 60_000;

/** Lifetime of a backend's command token, which it renews some minutes before. */
const COMMAND_TOKEN_LIFE_MS = 900_000;

/** How often keys that Secrets Manager rotates are read again, ms. */
export const REREAD_MS = 300_000;
/** The wait before the next try after a failed read, ms. */
const REREAD_RETRY_MS = 10_000;

/** The claims of an assignment token. */
export type AssignmentClaims = {
  readonly roomId: string;
  readonly peerId: string;
  readonly daemonId: string;
  readonly incarnation: string;
  readonly epoch: number;
  readonly grants: Grants;
  /** Where the assignment is in its trace, where traces are sent (W3C Trace Context). */
  readonly traceparent?: string;
};

/** The daemon that the control plane commands, and the room that the command is about. */
export type OwnCommand = {
  readonly daemonId: string;
  readonly incarnation: string;
  readonly roomId: string | undefined;
};

export type SignedToken = { readonly token: string; readonly expiresAt: Date };

/** The key that signs, and the others that are published. */
export type KeySet = { readonly signing: SigningKey; readonly others: readonly SigningKey[] };

/** Signs assignment and command tokens (JWT, EdDSA with Ed25519) and publishes the keys that prove them. */
export class AssignmentKeys {
  #keys: KeySet;
  readonly #read: (() => Promise<KeySet>) | undefined;
  #readNextAt = Date.now() + REREAD_MS;
  #reading: Promise<void> | undefined;

  private constructor(keys: KeySet, read?: () => Promise<KeySet>) {
    this.#keys = keys;
    this.#read = read;
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
    const signing = await readKeyFile(file);
    return new AssignmentKeys({ signing, others: await Promise.all((options.otherFiles ?? []).map(readKeyFile)) });
  }

  /**
   * Follows keys that Secrets Manager rotates. There is no timer: a use of old keys reads them again first. If that fails,
   * the former keys stay in use.
   *
   * @throws Error of the first read.
   */
  static async follow(read: () => Promise<KeySet>, logger: Logger): Promise<AssignmentKeys> {
    return new AssignmentKeys(await read(), () =>
      read().catch((error: unknown) => {
        logger.error({ err: error }, 'assignment keys could not be read again');
        throw error;
      }),
    );
  }

  /** The public keys, RFC 7517. */
  async jwks(): Promise<JSONWebKeySet> {
    const { signing, others } = await this.#current();
    // A key that is listed twice is published once: of two that have one name a verifier takes neither.
    return { keys: [...new Map([signing, ...others].map(({ kid, jwk }) => [kid, jwk])).values()] };
  }

  sign(claims: AssignmentClaims): Promise<SignedToken> {
    return this.#sign('assignment+jwt', claims, TOKEN_LIFE_MS);
  }

  /** Signs a backend's token for gRPC commands to any media daemon. */
  signCommand({ room, scopes }: { room: string; scopes: readonly CommandScope[] }): Promise<SignedToken> {
    return this.#sign('command+jwt', { room, scope: scopes.join(' ') }, COMMAND_TOKEN_LIFE_MS);
  }

  /**
   * Signs a token for a command of the control plane itself: one incarnation of one daemon takes it, for one room, for a
   * minute. Without a room it only asks who the daemon is.
   */
  signOwnCommand({ daemonId, incarnation, roomId }: OwnCommand): Promise<SignedToken> {
    const scope = roomId === undefined ? '' : 'rooms:write';
    return this.#sign('command+jwt', { room: roomId ?? '', scope, daemonId, incarnation }, TOKEN_LIFE_MS);
  }

  async #sign(typ: string, claims: JWTPayload, lifeMs: number): Promise<SignedToken> {
    const { key, kid } = (await this.#current()).signing;
    const now = Math.floor(Date.now() / 1000);
    const expiresAt = new Date(now * 1000 + lifeMs);
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ, kid })
      .setIssuer('control-plane')
      .setAudience('media-daemon')
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .sign(key);
    return { token, expiresAt };
  }

  async #current(): Promise<KeySet> {
    if (this.#read && Date.now() >= this.#readNextAt) {
      this.#reading ??= this.#reread(this.#read);
      await this.#reading;
    }
    return this.#keys;
  }

  async #reread(read: () => Promise<KeySet>): Promise<void> {
    try {
      this.#keys = await read();
      this.#readNextAt = Date.now() + REREAD_MS;
    } catch {
      this.#readNextAt = Date.now() + REREAD_RETRY_MS;
    } finally {
      this.#reading = undefined;
    }
  }
}
