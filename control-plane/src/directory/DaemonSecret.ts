import { createHash, randomBytes } from 'node:crypto';

/**
 * What one incarnation of a daemon authenticates with: its region in base64url, a dot, and 256 random bits. The region
 * is in it so that a heartbeat finds its row by key; it proves nothing until the hash of the whole has matched.
 */
export type DaemonSecret = { readonly region: string; readonly hash: string };

export function createDaemonSecret(region: string): { secret: string; hash: string } {
  const secret = `${Buffer.from(region).toString('base64url')}.${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashSecret(secret) };
}

/** @returns `undefined` when the text cannot be a secret of ours. */
export function readDaemonSecret(secret: string): DaemonSecret | undefined {
  const match = /^([\w-]{1,200})\.[\w-]{43}$/.exec(secret);
  if (!match?.[1]) return undefined;
  return { region: Buffer.from(match[1], 'base64url').toString(), hash: hashSecret(secret) };
}

const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');
