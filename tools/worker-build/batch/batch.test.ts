import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

/** How many datagrams each run gives; `make soak` has twelve hours' worth of a viewer of video. */
const DATAGRAMS = Number(process.env.BATCH_DATAGRAMS ?? 100_000);
/** Four in a row: in one of them nobody takes segments. */
const SEED = Number(process.env.BATCH_SEED ?? randomInt(2 ** 31));
const SEEDS = [SEED, SEED + 1, SEED + 2, SEED + 3];
/** More than this would be a leak: the memory of what waits is fixed, the sanitizers' own is not quite, KiB. */
const GROWN_AT_MOST = 16 * 1024;

const here = import.meta.dirname;
const WRAPPED = ['uv_udp_try_send', 'uv_close', 'uv_now', 'sendmmsg'].map((name) => `--wrap=${name}`).join(',');
const FLAGS = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror'];
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

let folder: string;
let missing: string | undefined;

const compile = (sources: readonly string[], output: string) =>
  spawnSync('cc', [...FLAGS, ...SANITIZERS, `-Wl,${WRAPPED}`, ...sources, '-luv', '-o', output], { encoding: 'utf8' });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batch-test-'));
  const probe = join(folder, 'probe.c');
  await writeFile(probe, '#include <uv.h>\nint main(void) { return uv_version() == 0; }\n');
  const { error, status, stderr } = compile([probe], join(folder, 'probe'));
  if (error || status !== 0)
    missing = `no C compiler with sanitizers and libuv's headers (apt-get install gcc libuv1-dev): ${error?.message ?? stderr}`;
});

after(() => rm(folder, { recursive: true, force: true }));

/** Compiles the sources and the model. */
function build(): string {
  const program = join(folder, 'batch-test');
  const compiled = compile(globSync([join(here, '*.c'), join(here, 'test/*.c')]), program);
  assert.equal(compiled.status, 0, compiled.stderr);
  return program;
}

test('each datagram is sent once, in the order of its destination, whatever the kernel answers', async (t) => {
  if (missing) {
    t.skip(missing);
    return;
  }
  const program = build();
  for (const seed of SEEDS) {
    await t.test(`seed ${seed}`, () => {
      const { status, signal, stdout, stderr } = spawnSync(program, [String(seed), String(DATAGRAMS)], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, `BATCH_SEED=${seed}: ${signal ?? status}: ${stderr}`);
      const told = JSON.parse(stdout);
      t.diagnostic(`seed ${seed}: ${stdout.trim()}`);
      assert.ok(told.grownKiB < GROWN_AT_MOST, `memory grew by ${told.grownKiB} KiB`);
      // Once a worker, however many refuse.
      assert.equal(stderr.match(/UDP segmentation is refused/g)?.length, 1, stderr);
    });
  }
});

test('a destination that refuses segments each time it is tried again does not turn them off for others', (t) => {
  if (missing) {
    t.skip(missing);
    return;
  }
  const { status, stderr } = spawnSync(build(), [String(SEED), 'again'], { encoding: 'utf8' });
  assert.equal(status, 0, `BATCH_SEED=${SEED}: ${stderr}`);
  assert.equal(stderr.match(/UDP segmentation is refused/g)?.length, 1, stderr);
});
