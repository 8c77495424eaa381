export type Break = 'socket' | 'worker' | 'daemon' | 'drain';

/** The address that causes failures; only pages of `make run` have it. */
export function breakerUrl(): string | undefined {
  return document.querySelector<HTMLMetaElement>('meta[name=breaker]')?.content;
}

/** Causes a real failure in the call. @throws Error with the reason if it cannot */
export async function breakSomething(what: Break, target: { daemonId: string; peerId: string }): Promise<void> {
  const answer = await fetch(`${breakerUrl()}/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(target),
  });
  if (!answer.ok) throw new Error((await answer.text()) || `the development server answered ${answer.status}`);
}
