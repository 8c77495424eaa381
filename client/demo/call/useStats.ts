import { useEffect, useState } from 'preact/hooks';
import type { Room, RoomStats } from '../../src/index.ts';

/** How often the statistics are asked for, ms. */
const INTERVAL_MS = 2000;

/** How well the call goes, again and again. */
export function useStats(room: Room): RoomStats | undefined {
  const [stats, setStats] = useState<RoomStats>();
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      // A connection that closes meanwhile has none, and the next time there is another.
      const found = await room.getStats().catch(() => undefined);
      if (ended) return;
      if (found) setStats(found);
      timer = setTimeout(() => void ask(), INTERVAL_MS);
    };
    void ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [room]);
  return stats;
}
