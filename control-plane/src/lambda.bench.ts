import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleLambda } from './bundleLambda.ts';

/**
 * What a cold start of the Lambda function costs: the size of the bundle, what is loaded of it at once, and how long that
 * takes in fresh processes, which is what AWS calls the init phase less Node's own start. `node lambda.bench.ts [starts]`
 */

const [starts = 15] = process.argv.slice(2).map(Number);
const runner = fileURLToPath(new URL('testing/runLambda.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'lambda-bench-'));
const { files, compressed, modules } = await bundleLambda(folder);

async function start(): Promise<number> {
  const lambda = fork(runner, [join(folder, 'index.mjs')], {
    env: {
      PATH: String(process.env.PATH),
      CONTROL_PLANE_DAEMON_KEY: 'a key for benchmarks only',
      CONTROL_PLANE_STORE: 'dynamodb',
      CONTROL_PLANE_ALLOW_OPEN_BEYOND_LOOPBACK: 'true',
      CONTROL_PLANE_DATA_DIR: folder,
    },
  });
  const [{ initMs }] = (await once(lambda, 'message')) as [{ initMs: number }];
  lambda.kill('SIGKILL');
  await once(lambda, 'exit');
  return initMs;
}

const took: number[] = [];
for (let number = 0; number < starts; number++) took.push(await start());
took.sort((a, b) => a - b);
await rm(folder, { recursive: true });
const ms = (at: number) => Math.round(took[Math.floor(at)] ?? 0);
process.stdout.write(
  `bundle: ${Math.round(compressed / 1024)} KiB compressed, ${files.length} files, ${modules.all.length} modules,` +
    ` of which ${modules.atStart.length} are loaded at the start\n` +
    `start: ${ms(0)} ms at best, ${ms(starts / 2)} ms in the middle, ${ms(starts - 1)} ms at worst of ${starts}\n`,
);
