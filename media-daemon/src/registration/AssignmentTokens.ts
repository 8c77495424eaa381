import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { z } from 'zod';
import { RequestError } from '../errors.ts';
import type { Grants } from '../rooms/Grants.ts';

/** Seconds by which clocks of the control plane and the daemon may differ. */
const CLOCK_TOLERANCE_S = 5;
/** The least time between two times that unknown keys are asked for, ms. */
const KEY_COOLDOWN_MS = 10_000;

const grantsSchema = z.object({ publish: z.boolean(), subscribe: z.boolean(), data: z.boolean() });

/** Verifies assignment tokens offline, with the keys that the control plane has told. */
export class AssignmentTokens {
  readonly #askForKeys: () => Promise<void>;
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #kids = new Set<string>();
  #askedAt = 0;
  #asking: Promise<void> | undefined;

  /** @param askForKeys has the control plane asked, and resolves when what it answers is learnt. */
  constructor(askForKeys: () => Promise<void>) {
    this.#askForKeys = askForKeys;
  }

  /** Takes over a JSON Web Key Set. */
  learn(jwksJson: string): void {
    const jwks: JSONWebKeySet = JSON.parse(jwksJson);
    this.#keys = createLocalJWKSet(jwks);
    this.#kids = new Set(jwks.keys.flatMap(({ kid }) => kid ?? []));
  }

  /**
   * @param expected the claims that the token must have.
   * @returns what it grants, and when it was issued, Unix time in ms.
   * @throws RequestError 401, 503 before any keys are known.
   */
  async verify(token: string, expected: Record<string, string>): Promise<{ grants: Grants; issuedAt: number }> {
    if (!this.#keys) throw new RequestError(503, 'the keys to check tokens with are not known yet, try again');
    const refused = new RequestError(401, 'the token is not valid');
    await this.#learnNewKey(token);
    const { payload } = await jwtVerify(token, this.#keys, {
      typ: 'assignment+jwt',
      audience: 'media-daemon',
      algorithms: ['EdDSA', 'Ed25519'],
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['exp', 'iat'],
    }).catch(() => {
      throw refused;
    });
    if (Object.entries(expected).some(([claim, value]) => payload[claim] !== value)) throw refused;
    const grants = grantsSchema.safeParse(payload.grants);
    if (!grants.success) throw refused;
    return { grants: grants.data, issuedAt: (payload.iat ?? 0) * 1000 };
  }

  /** A token of a key that is not known has the keys asked for; not every time, since anybody can write one. */
  async #learnNewKey(token: string): Promise<void> {
    const kid = kidOf(token);
    if (kid === undefined || this.#kids.has(kid)) return;
    if (Date.now() - this.#askedAt >= KEY_COOLDOWN_MS) {
      this.#askedAt = Date.now();
      this.#asking = this.#askForKeys().finally(() => {
        this.#asking = undefined;
      });
    }
    // Whoever comes with the same key meanwhile waits for it too.
    await this.#asking;
  }
}

/** The name of the key that a token says it is signed with, which proves nothing. */
function kidOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}
