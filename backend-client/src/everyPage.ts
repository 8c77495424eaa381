/** Reads every page of a list; an empty token is before the first page and after the last. */
export async function everyPage<T>(ask: (pageToken: string) => Promise<[page: T[], next: string]>): Promise<T[]> {
  const all: T[] = [];
  for (let token = ''; ; ) {
    const [page, next] = await ask(token);
    all.push(...page);
    if (next === '') return all;
    token = next;
  }
}
