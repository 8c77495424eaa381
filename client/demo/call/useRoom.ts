import { useEffect, useReducer } from 'preact/hooks';
import type { Room } from '../../src/index.ts';

const EVENTS = [
  'peerJoined',
  'peerUpdated',
  'peerLeft',
  'remoteTrackPublished',
  'remoteTrackUnpublished',
  'remoteTrackChanged',
  'trackSubscribed',
  'trackUnsubscribed',
  'localTrackPublished',
  'localTrackUnpublished',
  'localTrackChanged',
  'stateChanged',
] as const;

/** Renders the component again on each change in the room. */
export function useRoom(room: Room): () => void {
  const [, refresh] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const removers = EVENTS.map((name) => room.on(name, () => refresh(undefined as never)));
    // Something may have changed between the first rendering and this effect.
    refresh(undefined as never);
    return () => {
      for (const remove of removers) remove();
    };
  }, [room]);
  return () => refresh(undefined as never);
}
