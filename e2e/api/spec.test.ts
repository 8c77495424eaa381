import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the titles of tests cite each rule of docs/design/signaling-rules.md, and no other', async () => {
  const spec = await readFile(`${root}docs/design/signaling-rules.md`, 'utf8');
  const rules = [...spec.matchAll(/^- \*\*(S\d+)\*\* /gm)].map(([, rule]) => rule);
  assert.equal(new Set(rules).size, rules.length, 'no number twice');
  const cited = new Set<string | undefined>();
  for await (const file of glob('{media-daemon,e2e}/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] })) {
    const text = await readFile(root + file, 'utf8');
    for (const [, rule] of text.matchAll(/\btest\(\s*['"`](S\d+) /g)) cited.add(rule);
  }
  assert.deepEqual([...cited].sort(), [...rules].sort());
});
