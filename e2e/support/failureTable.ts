import assert from 'node:assert/strict';
import { after, type TestContext } from 'node:test';
import type { Daemon, Stack } from './stack.ts';

type Row = readonly [done: string, media: string, joiners: string, left: string];

/** Prints a table with a row for each failure, after all tests of a file. */
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

/**
 * What is left of a room on other daemons than the one that peers are sent to, in words: nothing, or the test fails. It may
 * take a while, since a daemon that was taken for dead lets its peers move first.
 */
export async function leftOver(
  t: TestContext,
  stack: Stack,
  roomId: string,
  daemons: Iterable<readonly [string, Daemon]>,
): Promise<string> {
  const look = async () => {
    const { daemonId: owner } = await stack.assign(roomId, 'reporter');
    const left: string[] = [];
    for (const [id, { url }] of daemons) {
      const status = await fetch(`${url.replace(/^ws/, 'http')}/rooms/${roomId}`).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200 && id !== owner) left.push(`the room on ${id}`);
    }
    assert.deepEqual(left, []);
  };
  await t.waitFor(look, { interval: 100, timeout: 60_000 });
  return 'nothing';
}
