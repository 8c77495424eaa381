import { candidates } from '@mediasoup-server/control-plane/candidates';
import { loadOf, shardOf } from '@mediasoup-server/control-plane/daemon';
import { FleetCache } from '@mediasoup-server/control-plane/fleet-cache';
import type { DaemonInfo, RoomInstances } from '@mediasoup-server/proto/http';

/** A daemon as a candidate for a room. */
export type Candidate = {
  readonly daemonId: string;
  readonly region: string;
  readonly state: DaemonInfo['state'];
  /** The highest of its loads; 1 is full. */
  readonly load: number;
  readonly headroom: number;
  readonly heartbeatAgeMs: number;
  /** Its position in the order in which daemons are asked; absent if it is not asked. */
  readonly rank?: number;
  readonly why: string;
};

/** Why a room is on its daemon. */
export type Explanation = {
  readonly roomId: string;
  readonly epoch?: number;
  readonly daemonId?: string;
  readonly why: string;
  /** Whether the next peer goes to the room's present daemon. */
  readonly stays: boolean;
  /** Every daemon, in the order in which they would be asked if the room were placed now. */
  readonly candidates: readonly Candidate[];
};

export type ExplainOptions = {
  /** The region that the peer asks for. */
  readonly region?: string | undefined;
  /** The control plane's setting of that name. */
  readonly suspectAfterMs: number;
  /** Unix time in milliseconds. */
  readonly now: number;
};

/**
 * Explains why a room is on its daemon, and where it would go if it were placed now, with the assignment's own code.
 *
 * @param room undefined when no daemon has it.
 */
export async function explainPlacement(
  roomId: string,
  room: RoomInstances | undefined,
  daemons: readonly DaemonInfo[],
  options: ExplainOptions,
): Promise<Explanation> {
  const ranks = await rank(roomId, daemons, options);
  const described = daemons.map((daemon) => describe(daemon, ranks, options));
  const instance = room?.instances[0];
  return {
    roomId,
    ...(room && { epoch: room.epoch }),
    ...(instance && { daemonId: instance.daemonId }),
    ...explainInstance(instance, options, [...ranks.keys()][0]),
    candidates: described.toSorted(
      (a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity) || (a.daemonId < b.daemonId ? -1 : 1),
    ),
  };
}

/** The ids of the daemons that would be asked to take the room, with their positions in that order. */
async function rank(roomId: string, daemons: readonly DaemonInfo[], { region, suspectAfterMs }: ExplainOptions) {
  const rows = daemons.map((daemon) => ({
    ...daemon,
    shard: shardOf(daemon.region, daemon.daemonId),
    heartbeatAt: Date.parse(daemon.heartbeatAt),
    secretHash: '',
    assigned: 0,
  }));
  const fleet = new FleetCache({
    listRegions: async () => [...new Set(daemons.map((daemon) => daemon.region))],
    listShard: async (shard) => rows.filter((row) => row.shard === shard),
  });
  const client = { probe: async () => false };
  const ranks = new Map<string, number>();
  for await (const { daemonId } of candidates(roomId, region, { fleet, client, suspectAfterMs })) {
    if (!ranks.has(daemonId)) ranks.set(daemonId, ranks.size + 1);
  }
  return ranks;
}

const ageOf = ({ heartbeatAt }: DaemonInfo, now: number): number => now - Date.parse(heartbeatAt);

function describe(daemon: DaemonInfo, ranks: ReadonlyMap<string, number>, options: ExplainOptions): Candidate {
  const { daemonId, region, state, headroom } = daemon;
  const rank = ranks.get(daemonId);
  const heartbeatAgeMs = ageOf(daemon, options.now);
  const because = () => {
    if (state === 'draining') return 'drains: it takes nobody new';
    if (state === 'lost') return 'was declared dead';
    if (headroom <= 0) return 'is full';
    if (heartbeatAgeMs > options.suspectAfterMs)
      return 'is silent: it is probed before it gets a room, after all others';
    return rank === 1 ? 'would get the room' : 'would be asked if those before it fail';
  };
  const load = Math.round(loadOf(daemon) * 1000) / 1000;
  return {
    daemonId,
    region,
    state,
    load,
    headroom,
    heartbeatAgeMs,
    ...(rank !== undefined && { rank }),
    why: because(),
  };
}

function explainInstance(
  instance: RoomInstances['instances'][number] | undefined,
  { now, suspectAfterMs }: ExplainOptions,
  next: string | undefined,
): Pick<Explanation, 'why' | 'stays'> {
  const placed = next === undefined ? 'finds no daemon that takes it' : `has it placed on ${next}`;
  const moves = (why: string) => ({ why: `${why}; the next peer ${placed}`, stays: false });
  if (!instance) return moves('nobody has the room');
  const { daemonId, daemon } = instance;
  if (!daemon) return moves(`${daemonId}, which had it, has ended or started anew`);
  if (daemon.state === 'draining') return moves(`${daemonId} drains`);
  if (daemon.state === 'lost') return moves(`${daemonId} was declared dead`);
  if (ageOf(daemon, now) > suspectAfterMs) {
    return {
      why: `${daemonId} has it and is silent; the next peer has it probed, and stays there if it answers`,
      stays: true,
    };
  }
  const full = daemon.headroom <= 0 ? ', though it is full: new peers get ROOM_FULL' : '';
  return { why: `${daemonId} has it and is well, so every further peer goes there${full}`, stays: true };
}
