export type NetworkEvent =
  /** The browser is online again or uses another network. */
  | 'changed'
  /** The page is visible again: browsers suspend hidden pages, whose connections may be lost. */
  | 'visible';

/** The sources of network events. Not all browsers have all of them, and Node has none. */
interface BrowserGlobals {
  readonly document?: EventTarget & { readonly visibilityState: string };
  readonly navigator?: { readonly connection?: EventTarget };
}

/** Calls a listener when the network may have changed. Returns a function that stops. */
export function onNetworkEvent(listener: (event: NetworkEvent) => void): () => void {
  const { document, navigator } = globalThis as BrowserGlobals;
  const stopping = new AbortController();
  const { signal } = stopping;
  const changed = (): void => listener('changed');
  // Node's global object is not an event target.
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
