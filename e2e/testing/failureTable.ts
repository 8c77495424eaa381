import { after } from 'node:test';

type Row = readonly [done: string, media: string, joiners: string, left: string];

/** Prints a row for each failure that the tests of a file have caused, once they have ended. */
export function failureTable(): { add(...row: Row): void } {
  const rows: Row[] = [
    ['what was done', 'outage seen by media', 'outage seen by new joiners', 'what was left over'],
    ['---', '---', '---', '---'],
  ];
  after(() => {
    process.stdout.write(`\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n\n`);
  });
  return { add: (...row) => rows.push(row) };
}
