import type { DaemonClient } from '../daemons/DaemonClient.ts';
import type { Daemon } from '../directory/Daemon.ts';
import type { FleetCache } from '../directory/FleetCache.ts';

/** How many other daemons are probed. */
const SAMPLE = 11;
/** A daemon that has been silent for longer, ms, is not probed: ten minutes. */
const KNOWN_MS = 600_000;

/**
 * Whether this control plane is more likely cut off than the daemon is dead: no other daemon answers a probe, or more than
 * a third of the known ones do not. It then declares no daemon lost. A single silent daemon counts as dead if another one
 * answers.
 */
export async function isCutOff(
  silent: Daemon,
  { fleet, client }: { fleet: FleetCache; client: Pick<DaemonClient, 'probe'> },
): Promise<boolean> {
  const others: Daemon[] = [];
  // Read now, because a daemon that has just restarted does not answer as its former incarnation.
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
