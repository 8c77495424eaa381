export type NetworkEvent =
  /** The network is there again, or is another one. */
  | 'changed'
  /** The page is shown again: browsers let hidden ones sleep, and nothing may be as it was. */
  | 'visible';

/** The parts of a browser that tell of its network; a page need not have all, and Node has none. */
interface Surroundings {
  readonly document?: EventTarget & { readonly visibilityState: string };
  readonly navigator?: { readonly connection?: EventTarget };
}

/** Listens for what may have changed the network. Returns the function that stops. */
export function onNetworkEvent(listener: (event: NetworkEvent) => void): () => void {
  const { document, navigator } = globalThis as Surroundings;
  const stopping = new AbortController();
  const { signal } = stopping;
  const changed = (): void => listener('changed');
  // Node's global object is no event target.
  if (typeof globalThis.addEventListener === 'function') globalThis.addEventListener('online', changed, { signal });
  navigator?.connection?.addEventListener('change', changed, { signal });
  document?.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') listener('visible');
    },
    { signal },
  );
  return () => stopping.abort();
}
