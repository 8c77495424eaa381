import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ACCESS_AUDIENCE, ACCESS_TYPE, algorithmsOf, type Grants } from '@mediasoup-server/control-plane/access-tokens';
import { settingsSchema } from '@mediasoup-server/control-plane/config';
import { ALL_ROOMS } from '@mediasoup-server/proto/http';
import { settingTypes } from '@mediasoup-server/server-kit/settings';
import { SignJWT } from 'jose';
import { CliError } from './CliError.ts';

export const grants = ['publish', 'subscribe', 'data', 'admin'] as const satisfies readonly (keyof Grants)[];

export type AccessTokenRequest = {
  readonly room: string;
  readonly peer: string;
  readonly grant: readonly (typeof grants)[number][];
  /** Seconds. */
  readonly expiresIn: number;
};

/** The key: the secret that applications share with the control plane, or a file with their private key. */
export type AccessTokenKey = { readonly secret?: string | undefined; readonly keyFile?: string | undefined };

/**
 * Signs an access token, as an application's backend does.
 *
 * @throws CliError when the key is missing or cannot be used, or the control plane would refuse the token.
 */
export async function signAccessToken(request: AccessTokenRequest, signer: AccessTokenKey): Promise<string> {
  const { room, peer, grant, expiresIn } = request;
  if (room === ALL_ROOMS && !grant.includes('admin'))
    throw new CliError('a token for all rooms needs the grant admin', 2);
  const { key, alg } = await readKey(signer);
  const claims = { room, grants: Object.fromEntries(grant.map((name) => [name, true])) };
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg, typ: ACCESS_TYPE })
    .setAudience(ACCESS_AUDIENCE)
    .setSubject(peer)
    .setIssuedAt(now)
    .setExpirationTime(now + expiresIn)
    .sign(key);
}

async function readKey({ secret, keyFile }: AccessTokenKey) {
  if (keyFile === undefined) {
    const { error } = settingTypes(settingsSchema).accessTokenSecret.safeParse(secret);
    if (error) throw new CliError(`CONTROL_PLANE_ACCESS_TOKEN_SECRET: ${error.issues[0]?.message}`);
    if (secret) return { key: new TextEncoder().encode(secret), alg: 'HS256' };
    throw new CliError(
      'nothing to sign with: set CONTROL_PLANE_ACCESS_TOKEN_SECRET, or name a private key with --key',
      2,
    );
  }
  const key = await readFile(keyFile)
    .then(createPrivateKey)
    .catch((error: Error) => {
      throw new CliError(`the key ${keyFile} cannot be read as a private key in PEM: ${error.message}`);
    });
  const alg = algorithmsOf(key)?.[0];
  if (alg === undefined) throw new CliError(`the key ${keyFile} is neither an Ed25519, a P-256 nor an RSA key`);
  return { key, alg };
}
