import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SecretsManager } from '../../control-plane/src/testing/SecretsManager.ts';
import { bundleLambda } from '../lambda/bundleLambda.ts';

/**
 * The cost of a cold start of the Lambda function: the size of the bundle, what of it is loaded, and the time in fresh
 * processes, which is AWS's init phase less Node's own start. Measured with the settings in the environment, and with the
 * three secrets of the Terraform module from a local server that answers at once. `node tools/bench/lambda.bench.ts [starts]`
 */

const [starts = 15] = process.argv.slice(2).map(Number);
const runner = fileURLToPath(new URL('../../control-plane/src/testing/runLambda.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'lambda-bench-'));
const { files, compressed, modules } = await bundleLambda(folder);

const secrets = await SecretsManager.start();
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
const settings = {
  plain: {
    CONTROL_PLANE_DAEMON_KEY: 'a key for benchmarks only',
    CONTROL_PLANE_ALLOW_OPEN_BEYOND_LOOPBACK: 'true',
    CONTROL_PLANE_DATA_DIR: folder,
  },
  secret: {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
    CONTROL_PLANE_DAEMON_KEY: secrets.create('daemon', 'a key for benchmarks only'),
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: secrets.create('access', 'a secret of benchmarks that is long enough'),
    CONTROL_PLANE_ASSIGNMENT_KEY_SECRET: secrets.create(
      'assignments',
      JSON.stringify({ keys: [{ pem, signsFrom: '2026-01-01T00:00:00Z' }] }),
    ),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
  },
};

async function start(how: keyof typeof settings): Promise<number> {
  const lambda = fork(runner, [join(folder, 'index.mjs')], {
    env: { PATH: String(process.env.PATH), CONTROL_PLANE_STORE: 'dynamodb', ...settings[how] },
  });
  const [{ initMs }] = (await once(lambda, 'message')) as [{ initMs: number }];
  lambda.kill('SIGKILL');
  await once(lambda, 'exit');
  return initMs;
}

const took = { plain: [] as number[], secret: [] as number[] };
for (let number = 0; number < starts; number++) {
  for (const how of ['plain', 'secret'] as const) took[how].push(await start(how));
}
secrets.close();
await rm(folder, { recursive: true });
const times = (of: number[]) => {
  of.sort((a, b) => a - b);
  const ms = (at: number) => Math.round(of[Math.floor(at)] ?? 0);
  return `${ms(0)} ms at best, ${ms(starts / 2)} ms in the middle, ${ms(starts - 1)} ms at worst of ${starts}`;
};
process.stdout.write(
  `bundle: ${Math.round(compressed / 1024)} KiB compressed, ${files.length} files, ${modules.all.length} modules,` +
    ` of which ${modules.atStart.length} are loaded at the start\n` +
    `start: ${times(took.plain)}\nstart that reads its secrets: ${times(took.secret)}\n`,
);
