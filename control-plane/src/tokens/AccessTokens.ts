import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ALL_ROOMS } from '@mediasoup-server/proto/http';
import { idSchema } from '@mediasoup-server/proto/ids';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { z } from 'zod';

/** The `aud` claim and the `typ` header of access tokens. */
export const ACCESS_AUDIENCE = 'mediasoup-server';
export const ACCESS_TYPE = 'access+jwt';
/** Seconds by which the application's clock may differ from this one. */
const CLOCK_TOLERANCE_S = 5;
/** The deadline of fetching the keys, and how long they are cached, ms. */
const JWKS_TIMEOUT_MS = 2000;
const JWKS_MAX_AGE_MS = 600_000;
/** The least time between two fetches because of unknown keys, ms. */
const JWKS_COOLDOWN_MS = 30_000;
/** The least time between any two fetches, ms. jose's cooldown begins with a success, and a URL may be down. */
const JWKS_RETRY_MS = 1000;

/** The longest lifetime of a token, seconds: ten years. A longer one is a mistake, such as milliseconds. */
const MAX_LIFE_S = 315_576_000;

const grant = z.boolean().default(false);
const accessSchema = z.object({
  // JSON has numbers that are not finite (1e999): such a token would never expire.
  exp: z.int().refine((exp) => exp <= Date.now() / 1000 + MAX_LIFE_S),
  sub: idSchema,
  room: z.union([z.literal(ALL_ROOMS), idSchema]),
  grants: z.object({ publish: grant, subscribe: grant, data: grant, admin: grant }),
});

/** What an application allows a peer in a room. */
export type Access = { readonly peerId: string; readonly room: string; readonly grants: Grants };
export type Grants = z.infer<typeof accessSchema>['grants'];

/** Exactly one of them is given. */
export type AccessKeySettings = {
  readonly accessTokenSecret?: string | undefined;
  readonly accessTokenKeyFile?: string | undefined;
  readonly accessTokenJwksUrl?: string | undefined;
};

/** Verifies the access tokens that applications sign (JWT). */
export class AccessTokens {
  readonly #key: JWTVerifyGetKey;
  readonly #algorithms: string[];
  readonly #fetched: boolean;

  private constructor(key: JWTVerifyGetKey, algorithms: string[], fetched = false) {
    this.#key = key;
    this.#algorithms = algorithms;
    this.#fetched = fetched;
  }

  /**
   * The algorithms are those of the configured key, whatever a token says.
   *
   * @throws Error that names the key file at fault.
   */
  static async load(settings: AccessKeySettings): Promise<AccessTokens> {
    const { accessTokenSecret, accessTokenKeyFile, accessTokenJwksUrl } = settings;
    if (accessTokenSecret !== undefined) {
      const secret = new TextEncoder().encode(accessTokenSecret);
      return new AccessTokens(async () => secret, ['HS256']);
    }
    if (accessTokenKeyFile !== undefined) {
      const fail = (why: string) => (error: unknown) => {
        throw new Error(`the access key ${accessTokenKeyFile} ${why}: ${(error as Error).message}`, { cause: error });
      };
      const pem = await readFile(accessTokenKeyFile).catch(fail('cannot be read'));
      // Node would accept a private key and derive the public one, but the control plane must not have the private key.
      if (pem.includes('PRIVATE KEY'))
        throw new Error(`the access key ${accessTokenKeyFile} is a private key; use the public key`);
      const key = await Promise.resolve(pem).then(createPublicKey).catch(fail('is not a public key in PEM'));
      const algorithms = algorithmsOf(key);
      if (!algorithms)
        throw new Error(`the access key ${accessTokenKeyFile} is neither an Ed25519, a P-256 nor an RSA key`);
      return new AccessTokens(async () => key, algorithms);
    }
    const url = new URL(String(accessTokenJwksUrl));
    const keys = createRemoteJWKSet(url, {
      timeoutDuration: JWKS_TIMEOUT_MS,
      cacheMaxAge: JWKS_MAX_AGE_MS,
      cooldownDuration: JWKS_COOLDOWN_MS,
      [customFetch]: pacedFetch(),
    });
    return new AccessTokens(keys, ['EdDSA', 'Ed25519', 'ES256', 'RS256'], true);
  }

  /** @throws HttpProblem UNAUTHORIZED, with no word of why; UNAVAILABLE when the keys cannot be fetched. */
  async verify(token: string): Promise<Access> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        typ: ACCESS_TYPE,
        audience: ACCESS_AUDIENCE,
        algorithms: this.#algorithms,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp'],
      });
      const { sub, room, grants } = accessSchema.parse(payload);
      if (room === ALL_ROOMS && !grants.admin) throw new HttpProblem('UNAUTHORIZED');
      return { peerId: sub, room, grants };
    } catch (cause) {
      if (this.#fetched && couldNotFetch(cause))
        throw new HttpProblem('UNAVAILABLE', 'the keys of the access tokens cannot be fetched', {
          retryAfter: 2,
          cause,
        });
      throw new HttpProblem('UNAUTHORIZED', undefined, { cause });
    }
  }
}

/** Limits the rate of fetches, because anybody can send a token with an unknown key. */
function pacedFetch(): FetchImplementation {
  let fetchedAt = 0;
  return async (url, options) => {
    if (Date.now() - fetchedAt < JWKS_RETRY_MS) throw new errors.JWKSTimeout('the keys were asked for a moment ago');
    fetchedAt = Date.now();
    return fetch(url, options);
  };
}

/** Whether an access token is for a room. */
export const isFor = ({ room }: Access, roomId: string): boolean => room === ALL_ROOMS || room === roomId;

/** The algorithms of a key, the preferred one first; undefined for a key of an unsupported type. */
export function algorithmsOf(key: KeyObject): string[] | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519'];
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return ['ES256'];
  return asymmetricKeyType === 'rsa' ? ['RS256'] : undefined;
}

/** Whether fetching the key set failed; a wrong token fails with other errors of jose. */
const couldNotFetch = (error: unknown): boolean =>
  error instanceof errors.JWKSTimeout ||
  error instanceof TypeError ||
  (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC');
