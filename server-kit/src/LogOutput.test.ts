import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';

const LOGGER = new URL('logger.ts', import.meta.url).href;
const LINES = 40_000;

/** A process that writes many log lines at once for each line of input, and then reports that it continues. */
function writer(t: TestContext) {
  const program = `
    import { createLogger } from '${LOGGER}';
    const logger = createLogger('test', 'info');
    process.stdin.on('data', () => {
      for (let line = 0; line < ${LINES}; line++) logger.info({ line }, '${'x'.repeat(200)}');
      process.stderr.write('goes on');
    });
    process.stdin.on('end', () => process.exit(0));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('a log without a reader does not block, keeps its first lines, and later reports how many were lost', async (t) => {
  const { stdin, stdout, stderr } = writer(t);
  stdin.write('write');
  await once(stderr, 'data');
  let read = 0;
  let lost = 0;
  for await (const line of createInterface(stdout)) {
    const fields = JSON.parse(line);
    if (fields.lines === undefined) assert.equal(fields.line, read++);
    else lost += fields.lines;
    if (read + lost === LINES) break;
  }
  assert.ok(read > 0 && lost > 0);
});

test('a log whose reader has gone does not end the process, nor keep it from exiting', async (t) => {
  const child = writer(t);
  child.stdin.write('write');
  await once(child.stderr, 'data');
  child.stdout.destroy();
  child.stdin.write('write');
  await once(child.stderr, 'data');
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
