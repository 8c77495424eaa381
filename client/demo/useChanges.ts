import { useEffect, useReducer } from 'preact/hooks';
import type { TypedEmitter } from '../src/events.ts';

/** Renders the component again on each `changed` event. */
export function useChanges(source: TypedEmitter<{ changed: [] }>): void {
  const [, refresh] = useReducer((count: number, _event: undefined) => count + 1, 0);
  useEffect(() => {
    const remove = source.on('changed', () => refresh(undefined));
    // Something may have changed between the first rendering and this effect.
    refresh(undefined);
    return remove;
  }, [source]);
}
