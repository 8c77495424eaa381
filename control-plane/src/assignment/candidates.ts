import type { Daemon } from '../directory/Daemon.ts';
import { chooseDaemon } from './chooseDaemon.ts';
import type { Directory } from './findOwner.ts';

/**
 * The daemons that may take a room, the best first. Those that have been silent come last and only when a probe finds
 * them alive: when all are, it is the control plane that was away, or its clock is wrong.
 */
export async function* candidates(
  roomId: string,
  region: string | undefined,
  directory: Pick<Directory, 'fleet' | 'suspectAfterMs'> & { readonly client: Pick<Directory['client'], 'probe'> },
): AsyncGenerator<Daemon> {
  const { fleet, client, suspectAfterMs } = directory;
  const since = Date.now();
  const silent: Daemon[] = [];
  // What is remembered may lack a daemon that has just come: nobody is refused because of that.
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
