import { type Daemon, expiryOf, noLoad, shardOf } from '../directory/Daemon.ts';

/** The row of a daemon that has just sent a heartbeat, unless changed; its secret's hash is its incarnation. */
export function daemonRow(daemonId: string, change: Partial<Daemon> = {}): Daemon {
  const { region = 'region', incarnation = daemonId, heartbeatAt = Date.now() } = change;
  return {
    shard: shardOf(region, daemonId),
    daemonId,
    incarnation,
    secretHash: incarnation,
    state: 'ready',
    region,
    zone: '',
    url: `wss://${daemonId}`,
    grpcAddress: '',
    version: '',
    load: noLoad,
    headroom: 100,
    assigned: 0,
    heartbeatAt,
    expiresAt: expiryOf(heartbeatAt),
    ...change,
  };
}
