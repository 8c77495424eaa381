import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settingTypes, variableName } from '@mediasoup-server/server-kit/settings';
import * as controlPlane from '../../control-plane/src/config.ts';
import * as mediaDaemon from '../../media-daemon/src/config.ts';

const folder = fileURLToPath(new URL('../../deploy/systemd/', import.meta.url));
const units = (await readdir(folder)).filter((name) => name.endsWith('.service'));
/** The highest exposure, in tenths of a point on the scale of `systemd-analyze security`, where less is safer. */
const MAX_EXPOSURE = 15;

function run(command: string, ...words: string[]): { code: number | null; output: string } {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8', env });
  if (error) throw error;
  return { code: status, output: stdout + stderr };
}

test('`systemd-analyze verify` accepts the units where the package installs them', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'units-'));
  t.after(() => rm(root, { recursive: true }));
  const installed = join(root, 'usr/lib/systemd/system');
  await mkdir(installed, { recursive: true });
  for (const unit of units) {
    await cp(join(folder, unit), join(installed, unit));
    const [, program = ''] = /^ExecStart=(\S+)/m.exec(await readFile(join(folder, unit), 'utf8')) ?? [];
    await mkdir(join(root, dirname(program)), { recursive: true });
    await writeFile(join(root, program), '', { mode: 0o755 });
  }
  // The targets that every system has.
  for (const target of ['sysinit', 'basic', 'shutdown', 'multi-user', 'network-online'])
    await writeFile(join(installed, `${target}.target`), '[Unit]\nDescription=any\n');
  assert.deepEqual(run('systemd-analyze', 'verify', `--root=${root}`, ...units), { code: 0, output: '' });
});

for (const unit of units) {
  test(`\`systemd-analyze security\` finds ${unit} exposed by ${MAX_EXPOSURE / 10} at most`, (t) => {
    const threshold = `--threshold=${MAX_EXPOSURE}`;
    const { code, output } = run('systemd-analyze', 'security', '--offline=true', threshold, join(folder, unit));
    t.diagnostic(output.trim().split('\n').at(-1) ?? '');
    assert.equal(code, 0, output);
  });
}

test('systemd waits longer for the daemon to stop than a drain takes', async () => {
  const unit = await readFile(join(folder, 'mediasoup-media-daemon.service'), 'utf8');
  const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  const drainMs = settingTypes(mediaDaemon.settingsSchema).drainDeadlineMs.parse(undefined);
  assert.ok(Number(seconds) * 1000 >= drainMs + 30_000);
  assert.match(unit, /^KillMode=mixed$/m);
});

for (const [half, { PREFIX, settingsSchema }] of Object.entries({
  'control-plane': controlPlane,
  'media-daemon': mediaDaemon,
})) {
  test(`every variable of ${half}.env is a setting and is commented out`, async () => {
    const lines = (await readFile(join(folder, `${half}.env`), 'utf8')).split('\n');
    const known = Object.keys(settingTypes(settingsSchema)).map((setting) => variableName(PREFIX, setting));
    const variables = lines.flatMap((line) => /^#([A-Z_]+)=/.exec(line)?.[1] ?? []);
    assert.ok(variables.length > 5);
    for (const variable of variables) assert.ok(known.includes(variable), variable);
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('#') && line !== ''),
      [],
    );
  });
}

test('`nft` accepts the example firewall', (t) => {
  const { code, output } = run('nft', '--check', '--file', join(folder, 'nftables.conf'));
  // Even a check asks the kernel, which a container may not be allowed.
  if (/Operation not permitted/.test(output)) return t.skip(`nft may not ask the kernel here: ${output.trim()}`);
  assert.deepEqual({ code, output }, { code: 0, output: '' });
});
