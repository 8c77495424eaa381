export type Break = 'socket' | 'worker' | 'daemon' | 'drain';

/** Who breaks things for this page: given by `make run`, and by no other server. */
export function breakerUrl(): string | undefined {
  return document.querySelector<HTMLMetaElement>('meta[name=breaker]')?.content;
}

/** Breaks something of the call for real. @throws Error that says why not */
export async function breakSomething(what: Break, target: { daemonId: string; peerId: string }): Promise<void> {
  const answer = await fetch(`${breakerUrl()}/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(target),
  });
  if (!answer.ok) throw new Error((await answer.text()) || `the development server answered ${answer.status}`);
}
