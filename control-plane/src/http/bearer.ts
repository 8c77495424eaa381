import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { Request } from 'express';
import { type DaemonSecret, readDaemonSecret } from '../directory/DaemonSecret.ts';

/**
 * The key that registers one daemon alone, HMAC-SHA256 of its id with the key of all daemons, in base64url.
 */
export const keyOfDaemon = (fleetKey: string, daemonId: string): string =>
  createHmac('sha256', fleetKey).update(daemonId).digest('base64url');

/** @throws HttpProblem UNAUTHORIZED unless the request carries one of the keys. */
export function requireKey(request: Request, keys: readonly string[]): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  // Digests have equal lengths, so the comparison's time does not reveal the key's length.
  const shown = digest(readBearer(request));
  if (!keys.some((key) => timingSafeEqual(shown, digest(key)))) throw new HttpProblem('UNAUTHORIZED');
}

/** @throws HttpProblem UNAUTHORIZED unless the request carries a well-formed daemon secret. */
export function requireSecret(request: Request): DaemonSecret {
  const secret = readDaemonSecret(readBearer(request));
  if (!secret) throw new HttpProblem('UNAUTHORIZED');
  return secret;
}

/**
 * RFC 6750, section 2.1.
 *
 * @throws HttpProblem UNAUTHORIZED without one.
 */
export function readBearer(request: Request): string {
  const match = /^Bearer +(\S.*)$/i.exec(request.headers.authorization ?? '');
  if (!match?.[1]) throw new HttpProblem('UNAUTHORIZED');
  return match[1];
}
