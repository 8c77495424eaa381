import type { DaemonClient } from '../daemons/DaemonClient.ts';
import type { Daemon } from '../directory/Daemon.ts';
import type { FleetCache } from '../directory/FleetCache.ts';

/** How many of the other daemons are asked. */
const SAMPLE = 11;
/** A daemon that has been silent for longer, ms, says nothing of us any more: ten minutes. */
const KNOWN_MS = 600_000;

/**
 * Whether it is rather this control plane that is cut off than the daemon that is dead: no other daemon answers a
 * probe, or more than a third of those that it knows do not (one silent daemon is always believed dead where another
 * answers). Then it declares nobody lost.
 */
export async function isCutOff(
  silent: Daemon,
  { fleet, client }: { fleet: FleetCache; client: Pick<DaemonClient, 'probe'> },
): Promise<boolean> {
  const others: Daemon[] = [];
  // As they are now: one that has just restarted would not answer as its former self.
  for await (const batch of fleet.batches(silent.daemonId, silent.region, Date.now())) {
    const known = ({ daemonId, state, heartbeatAt }: Daemon) =>
      daemonId !== silent.daemonId && state !== 'lost' && Date.now() - heartbeatAt < KNOWN_MS;
    others.push(...batch.filter(known));
    if (others.length >= SAMPLE) break;
  }
  const asked = others.slice(0, SAMPLE);
  const answers = await Promise.all(asked.map((daemon) => client.probe(daemon)));
  const alive = answers.filter((answered) => answered).length;
  const dead = 1 + asked.length - alive;
  return alive === 0 || dead > Math.max(1, (1 + asked.length) / 3);
}
