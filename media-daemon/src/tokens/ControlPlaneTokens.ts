import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import type { CommandGrant } from '../commands/authorize.ts';
import { RequestError } from '../errors.ts';
import type { Grants } from '../peers/Grants.ts';

/** Seconds by which clocks of the control plane and the daemon may differ. */
const CLOCK_TOLERANCE_S = 5;
/** The least time between two requests for unknown keys, ms. */
const KEY_COOLDOWN_MS = 10_000;

/** The reason for every token that is refused; more would help an attacker. */
export const NOT_VALID = 'the token is not valid';

const commandSchema = z
  .object({
    room: z.string(),
    scope: z.string(),
    exp: z.int(),
    /** Both or none: the daemon that the token is for. */
    daemonId: z.string().optional(),
    incarnation: z.string().optional(),
  })
  .refine(({ daemonId, incarnation }) => (daemonId === undefined) === (incarnation === undefined));
const grantsSchema = z.object({ publish: z.boolean(), subscribe: z.boolean(), data: z.boolean() });
const assignmentSchema = z.object({
  grants: grantsSchema,
  epoch: z.int().positive(),
  iat: z.number(),
  exp: z.number(),
});

/** Verifies tokens of the control plane offline, with its public keys. */
export class ControlPlaneTokens {
  readonly #askForKeys: () => Promise<void>;
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #kids = new Set<string>();
  #askedAt = 0;
  #asking: Promise<void> | undefined;

  /** @param askForKeys asks the control plane for its keys, and resolves when `learn` has them. */
  constructor(askForKeys: () => Promise<void>) {
    this.#askForKeys = askForKeys;
  }

  /** Replaces the keys with those of a JSON Web Key Set. */
  learn(jwksJson: string): void {
    const jwks: JSONWebKeySet = JSON.parse(jwksJson);
    this.#keys = createLocalJWKSet(jwks);
    this.#kids = new Set(jwks.keys.flatMap(({ kid }) => kid ?? []));
  }

  /**
   * @param expected the claims that the token must have.
   * @returns what it grants, the epoch of its room, and when it was issued and expires, Unix time in ms.
   * @throws RequestError 401, 503 before any keys are known.
   */
  async verifyAssignment(
    token: string,
    expected: Record<string, string>,
  ): Promise<{ grants: Grants; epoch: number; issuedAt: number; expiresAt: number }> {
    const payload = await this.#verify(token, 'assignment+jwt');
    const claims = assignmentSchema.safeParse(payload);
    if (Object.entries(expected).some(([claim, value]) => payload[claim] !== value) || !claims.success)
      throw new RequestError('UNAUTHORIZED', NOT_VALID);
    const { grants, epoch, iat, exp } = claims.data;
    return { grants, epoch, issuedAt: iat * 1000, expiresAt: (exp + CLOCK_TOLERANCE_S) * 1000 };
  }

  /**
   * @returns what a token for gRPC commands allows.
   * @throws RequestError 401, 503 before any keys are known.
   */
  async verifyCommand(token: string): Promise<CommandGrant> {
    const claims = commandSchema.safeParse(await this.#verify(token, 'command+jwt'));
    if (!claims.success) throw new RequestError('UNAUTHORIZED', NOT_VALID);
    const { room, scope, exp, daemonId, incarnation } = claims.data;
    const daemon = daemonId === undefined || incarnation === undefined ? undefined : { daemonId, incarnation };
    return { room, scopes: scope.split(' '), expiresAt: (exp + CLOCK_TOLERANCE_S) * 1000, daemon };
  }

  async #verify(token: string, typ: string): Promise<JWTPayload> {
    if (!this.#keys) throw new RequestError('UNAVAILABLE', 'the keys that verify tokens are not known yet, try again');
    await this.#learnNewKey(token);
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        typ,
        audience: 'media-daemon',
        algorithms: ['EdDSA', 'Ed25519'],
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp', 'iat'],
      });
      return payload;
    } catch (cause) {
      throw new RequestError('UNAUTHORIZED', NOT_VALID, { cause });
    }
  }

  /** Refetches the keys for an unknown `kid`, at most every 10 s, since anybody can write such a token. */
  async #learnNewKey(token: string): Promise<void> {
    const kid = kidOf(token);
    if (kid === undefined || this.#kids.has(kid)) return;
    if (Date.now() - this.#askedAt >= KEY_COOLDOWN_MS) {
      this.#askedAt = Date.now();
      this.#asking = this.#askForKeys().finally(() => {
        this.#asking = undefined;
      });
    }
    // Other tokens of the same key wait for it too.
    await this.#asking;
  }
}

/** The `kid` of a token; not verified. */
function kidOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}
