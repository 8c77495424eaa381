import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { productionPackages } from './productionPackages.ts';

test('`productionPackages` lists the dependencies of workspaces, nested packages and linked workspaces included, and no others', () => {
  const lockfile = {
    packages: {
      server: { dependencies: { ours: '1', a: '1' }, devDependencies: { d: '1' } },
      shared: { dependencies: { b: '1' } },
      'node_modules/ours': { link: true, resolved: 'shared' },
      'node_modules/a': { dependencies: { b: '2' }, optionalDependencies: { native: '1', absent: '1' } },
      'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
      'node_modules/b': {},
      'node_modules/@scope/other': {},
      'node_modules/c': { dependencies: { a: '1' } },
      'node_modules/d': {},
      'node_modules/native': {},
    },
  };
  assert.deepEqual(productionPackages(lockfile, ['server']), [
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/b',
    'node_modules/c',
    'node_modules/native',
    'server',
    'shared',
  ]);
  assert.throws(
    () => productionPackages({ packages: { server: { dependencies: { gone: '1' } } } }, ['server']),
    /the lockfile has no gone, which server needs/,
  );
});

test('`productionPackages` of the servers lists their runtime dependencies, and none that only builds or tests need', async () => {
  const lockfile = JSON.parse(await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  const found = productionPackages(lockfile, ['control-plane', 'media-daemon', 'cli']);
  for (const needed of ['proto', 'server-kit', 'node_modules/mediasoup', 'node_modules/dynalite'])
    assert.ok(found.includes(needed), needed);
  for (const unwanted of ['typescript', 'esbuild', 'vite', 'playwright-core', 'node-datachannel'])
    assert.ok(!found.includes(`node_modules/${unwanted}`), unwanted);
});
