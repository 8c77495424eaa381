import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errorCodes } from '@mediasoup-server/proto/errorCodes';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What a server's source says after its tests are left out. */
const sources = execFileSync(
  'git',
  ['ls-files', '*.ts', ':!*.test.ts', ':!proto/src/errorCodes.ts', ':!client', ':!e2e', ':!tools', ':!**/testing/**'],
  { cwd: root, encoding: 'utf8' },
)
  .trim()
  .split('\n')
  .map((file) => ({ file, text: readFileSync(`${root}/${file}`, 'utf8') }));

test('every code of the table is used by a server', () => {
  const unused = Object.keys(errorCodes).filter(
    (code) => !sources.some(({ file, text }) => file !== 'proto/src/http.ts' && text.includes(`'${code}'`)),
  );
  assert.deepEqual(unused, []);
});

test('every code that a server raises is in the table', () => {
  const raised = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/new (?:HttpProblem|RequestError|CommandError)\(\s*'([A-Z_]+)'/g)].map(([, code = '']) => ({
      file,
      code,
    })),
  );
  assert.ok(raised.length > 30, `only ${raised.length} errors were found`);
  assert.deepEqual(
    raised.filter(({ code }) => !Object.hasOwn(errorCodes, code)),
    [],
  );
});

test('the reference has a row for every code', () => {
  const page = readFileSync(`${root}/docs/reference/errors.md`, 'utf8');
  for (const [code, { meaning }] of Object.entries(errorCodes)) {
    assert.match(
      page,
      new RegExp(`^\\| \`${code}\` \\| \\d+ \\| \`[A-Z_]+\` \\| ${meaning.replace(/[^\w\s]/g, '\\$&')} \\|$`, 'm'),
    );
  }
});
