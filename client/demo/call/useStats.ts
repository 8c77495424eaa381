import { useEffect, useState } from 'preact/hooks';
import type { Room, RoomStats } from '../../src/index.ts';

/** How often the statistics are read, ms. */
const INTERVAL_MS = 2000;

/** The statistics of the call, updated regularly. */
export function useStats(room: Room): RoomStats | undefined {
  const [stats, setStats] = useState<RoomStats>();
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      // The connection closed meanwhile; the next call reads the statistics of another one.
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
