import { idSchema } from '@mediasoup-server/proto/ids';
import type { RegisterRequest } from '@mediasoup-server/proto/registry';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import { z } from 'zod';
import type { DaemonClient } from '../daemons/DaemonClient.ts';
import { type Daemon, expiryOf, noLoad, shardOf } from './Daemon.ts';
import { createDaemonSecret, readDaemonSecret } from './DaemonSecret.ts';
import type { DaemonTable } from './DaemonTable.ts';

/** How often a registration starts again after a lost race for the row. */
const MAX_ROUNDS = 4;
/** The region of daemons without one. */
const DEFAULT_REGION = 'default';

const registrationSchema = z.object({
  incarnation: idSchema,
  region: z
    .string()
    .transform((region) => region || DEFAULT_REGION)
    .pipe(idSchema),
  zone: z.string().max(128, 'is longer than 128 characters'),
  url: z
    .string()
    .max(512, 'is longer than 512 characters')
    .regex(/^wss?:\/\/[^/?#\s@]+\/?$/, 'is no WebSocket URL without a path, like "wss://media-1.example.com"')
    .refine((url) => URL.canParse(url), 'is not a URL')
    .transform((url) => url.replace(/\/$/, '')),
  grpcAddress: z
    .string()
    .max(512, 'is longer than 512 characters')
    .regex(/^(\[[\da-fA-F:.]+\]|[^:/\s[\]]+):\d{1,5}$/, 'is no address with a port, like "10.0.0.7:50051"'),
  version: z.string().max(128, 'is longer than 128 characters'),
  formerSecret: z.string().max(512, 'is longer than 512 characters'),
});

/**
 * Writes a daemon into the directory. It gets rooms from its first heartbeat on, which says how many peers it takes.
 *
 * Another incarnation supersedes the recorded one when that one is lost, does not answer a probe at its own recorded
 * address, or its secret is shown. Which addresses the newcomer names does not matter.
 *
 * @returns the secret of this incarnation.
 * @throws HttpProblem INVALID_REQUEST, DAEMON_ID_TAKEN or UNAVAILABLE.
 */
export async function registerDaemon(
  daemonId: string,
  request: RegisterRequest,
  { daemons, client, logger }: { daemons: DaemonTable; client: Pick<DaemonClient, 'probe'>; logger: Logger },
): Promise<string> {
  const parsed = registrationSchema.safeParse(request);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new HttpProblem('INVALID_REQUEST', lines.join('; '));
  }
  const { formerSecret, ...registration } = parsed.data;
  const { region, incarnation, url } = registration;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const seen = await daemons.find(daemonId);
    if (seen) await refuseIfTaken(seen, { ...registration, formerSecret }, client);
    const heartbeatAt = Date.now();
    const { secret, hash } = createDaemonSecret(region);
    const row: Daemon = {
      ...registration,
      shard: shardOf(region, daemonId),
      daemonId,
      secretHash: hash,
      state: 'ready',
      load: noLoad,
      headroom: 0,
      assigned: 0,
      heartbeatAt,
      expiresAt: expiryOf(heartbeatAt),
    };
    if (await daemons.register(row, seen)) {
      const superseded = seen && seen.incarnation !== incarnation ? seen.incarnation : undefined;
      logger.info({ daemonId, incarnation, region, url, superseded }, 'daemon registered');
      return secret;
    }
  }
  throw new HttpProblem('UNAVAILABLE', 'other processes keep registering the same daemon', { retryAfter: 1 });
}

async function refuseIfTaken(
  seen: Daemon,
  newcomer: Pick<Daemon, 'incarnation' | 'url' | 'grpcAddress'> & { formerSecret: string },
  client: Pick<DaemonClient, 'probe'>,
): Promise<void> {
  const { incarnation, url, grpcAddress, formerSecret } = newcomer;
  if (seen.state === 'lost') {
    if (seen.incarnation !== incarnation) return;
    // Its rooms may live elsewhere already; a new incarnation makes the tokens for the old one worthless.
    throw new HttpProblem('DAEMON_ID_TAKEN', 'this incarnation was declared lost: register a new one');
  }
  if (readDaemonSecret(formerSecret)?.hash === seen.secretHash) return;
  // A daemon whose answer was lost registers again, and peers and commands go where they went before.
  if (seen.incarnation === incarnation && seen.url === url && seen.grpcAddress === grpcAddress) return;
  if (await client.probe(seen, { fresh: true }))
    throw new HttpProblem('DAEMON_ID_TAKEN', `it is in use at ${seen.url}`);
}
