import type { Daemon } from '../directory/Daemon.ts';
import { chooseDaemon } from './chooseDaemon.ts';
import type { Directory } from './findOwner.ts';

/**
 * The daemons that may take a room, best first. Silent daemons come last, and only if they answer a probe: if all are silent,
 * the control plane was away, or its clock is wrong.
 */
export async function* candidates(
  roomId: string,
  region: string | undefined,
  directory: Pick<Directory, 'fleet' | 'suspectAfterMs'> & { readonly client: Pick<Directory['client'], 'probe'> },
): AsyncGenerator<Daemon> {
  const { fleet, client, suspectAfterMs } = directory;
  const since = Date.now();
  const silent: Daemon[] = [];
  // The cache may lack a new daemon, so the second pass reads again before a peer is refused.
  for (const readSince of [undefined, since]) {
    silent.length = 0;
    for await (const batch of fleet.batches(roomId, region, readSince)) {
      let left = batch;
      for (;;) {
        const chosen = chooseDaemon(roomId, left, Date.now(), { suspectAfterMs });
        if (!chosen) break;
        yield chosen;
        left = left.filter((daemon) => daemon !== chosen);
      }
      silent.push(...left);
    }
  }
  for (const daemon of silent) {
    if (daemon.state === 'ready' && daemon.headroom > 0 && (await client.probe(daemon))) yield daemon;
  }
}
