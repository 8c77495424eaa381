import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import {
  flag,
  integer,
  isLoopback,
  list,
  port,
  readableByOthers,
  readSettings,
  SettingsError,
  settingsTable,
  settingTypes,
  settingValues,
} from './settings.ts';

const schema = z.object({
  listenPort: port().default(8080).meta({ description: 'The port.' }),
  workers: integer(1, 8).default(2),
  verbose: flag().default(false),
  origins: list().default([]),
  name: z.string().optional().meta({ description: 'One of `a|b`.' }),
});

const read = (environment: Record<string, string | undefined>) => readSettings(schema, 'TEST_', environment);

test('`readSettings` without variables returns the defaults, frozen', () => {
  const settings = read({ PATH: '/bin', OTHER_LISTEN_PORT: 'x' });
  assert.deepEqual(settings, { listenPort: 8080, workers: 2, verbose: false, origins: [] });
  assert.ok(Object.isFrozen(settings));
});

test('`readSettings` reads each variable as its type', () => {
  assert.deepEqual(
    read({
      TEST_LISTEN_PORT: '0',
      TEST_WORKERS: '8',
      TEST_VERBOSE: 'true',
      TEST_ORIGINS: 'a, b,,c ',
      TEST_NAME: ' n ',
    }),
    { listenPort: 0, workers: 8, verbose: true, origins: ['a', 'b', 'c'], name: ' n ' },
  );
});

test('`readSettings` treats an empty variable as not set', () => {
  assert.deepEqual(read({ TEST_LISTEN_PORT: '', TEST_NAME: '', TEST_WORKERS: undefined }), read({}));
});

test('`readSettings` refuses a variable with the prefix that is not a setting', () => {
  assert.throws(() => read({ TEST_LISTENPORT: '1' }), {
    name: 'SettingsError',
    message: /^TEST_LISTENPORT is not a setting/,
  });
});

test('`readSettings` with invalid values names every variable and its error', () => {
  const wrong: [string, string, string][] = [
    ['TEST_LISTEN_PORT', '65536', 'is more than 65535'],
    ['TEST_LISTEN_PORT', '80a', 'is not a whole number'],
    ['TEST_LISTEN_PORT', '-1', 'is less than 0'],
    ['TEST_LISTEN_PORT', '1.5', 'is not a whole number'],
    ['TEST_WORKERS', '9', 'is more than 8'],
    ['TEST_VERBOSE', 'yes', 'is neither "true" nor "false"'],
  ];
  for (const [variable, value, message] of wrong) {
    assert.throws(() => read({ [variable]: value }), { name: 'SettingsError', message: `${variable}: ${message}` });
  }
  assert.throws(
    () => read({ TEST_WORKERS: '0', TEST_VERBOSE: '1', TEST_NO: '1' }),
    (error) => error instanceof SettingsError && error.message.split('\n').length === 3,
  );
});

const grouped = z
  .object({
    logLevel: z.string().default('info'),
    http: z.object({
      listenPort: port().default(8080).meta({ description: 'The port.' }),
      origins: list()
        .pipe(z.array(z.string().min(2, 'is short')))
        .default([]),
    }),
    store: z.object({ store: z.string().default('embedded'), workers: integer(1, 8).default(2) }),
  })
  .superRefine(({ http, store }, context) => {
    if (http.listenPort === 1) context.addIssue({ code: 'custom', path: ['http', 'listenPort'], message: 'is one' });
    if (store.store === 'none') context.addIssue({ code: 'custom', path: ['store'], message: 'is none' });
  });

const readGrouped = (environment: Record<string, string>) => readSettings(grouped, 'TEST_', environment);

test('`readSettings` puts each setting into its group, and a variable is named after the setting alone', () => {
  const settings = readGrouped({ TEST_LISTEN_PORT: '1234', TEST_WORKERS: '3' });
  assert.deepEqual(settings, {
    logLevel: 'info',
    http: { listenPort: 1234, origins: [] },
    store: { store: 'embedded', workers: 3 },
  });
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.http) && Object.isFrozen(settings.store));
  const port: number = settings.http.listenPort;
  assert.equal(port, 1234);
});

test('`readSettings` names the variable of an invalid setting in a group, whichever check finds it', () => {
  for (const [variable, value, message] of [
    ['TEST_LISTEN_PORT', '-1', 'is less than 0'],
    ['TEST_LISTEN_PORT', '1', 'is one'],
    ['TEST_ORIGINS', 'ab,c', 'is short'],
    ['TEST_STORE', 'none', 'is none'],
    ['TEST_WORKERS', '9', 'is more than 8'],
  ] as const) {
    assert.throws(() => readGrouped({ [variable]: value }), { message: `${variable}: ${message}` });
  }
  assert.throws(() => readGrouped({ TEST_HTTP: 'x' }), { message: /^TEST_HTTP is not a setting/ });
});

test('`settingTypes` has each setting by its name, and `settingsTable` a row for it', () => {
  const types = settingTypes(grouped);
  assert.deepEqual(Object.keys(types), ['logLevel', 'listenPort', 'origins', 'store', 'workers']);
  const fallback: number = types.listenPort.parse(undefined);
  assert.equal(fallback, 8080);
  assert.match(settingsTable(grouped, 'TEST_'), /^\| `TEST_LISTEN_PORT` \| `8080` \| The port\. \|$/m);
});

test('`settingValues` has the value of each setting by its name', () => {
  const values = settingValues(grouped, readGrouped({ TEST_WORKERS: '3' }));
  assert.deepEqual(values, { logLevel: 'info', listenPort: 8080, origins: [], store: 'embedded', workers: 3 });
});

test('two settings of one name are refused', () => {
  const twice = z.object({ name: z.string(), group: z.object({ name: z.string() }) });
  assert.throws(() => settingTypes(twice), { message: 'two settings have the name name' });
});

test('`settingsTable` has a row for each setting, with its default and its meaning', () => {
  assert.deepEqual(settingsTable(schema, 'TEST_').split('\n'), [
    '| variable | default | meaning |',
    '|---|---|---|',
    '| `TEST_LISTEN_PORT` | `8080` | The port. |',
    '| `TEST_WORKERS` | `2` |  |',
    '| `TEST_VERBOSE` | `false` |  |',
    '| `TEST_ORIGINS` |  |  |',
    '| `TEST_NAME` |  | One of `a\\|b`. |',
  ]);
});

test('`settingsTable` shows what a default depends on, not its value on this machine', () => {
  const host = z.string().default('this machine').meta({ description: 'A name.', shownDefault: 'the host name' });
  assert.match(settingsTable(z.object({ host }), 'TEST_'), /^\| `TEST_HOST` \| the host name \| A name\. \|$/m);
});

test('`readableByOthers` accepts the group only for a file of root, and others never', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'modes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'key.pem');
  writeFileSync(file, '');
  const isRoot = process.getuid?.() === 0;
  for (const [mode, isRefused] of [
    [0o400, false],
    [0o600, false],
    [0o640, !isRoot],
    [0o660, true],
    [0o644, true],
    [0o604, true],
  ] as const) {
    chmodSync(file, mode);
    assert.equal(readableByOthers(file) !== undefined, isRefused, mode.toString(8));
  }
  if (!isRoot) return;
  chownSync(file, 12_345, 12_345);
  chmodSync(file, 0o640);
  assert.match(readableByOthers(file) ?? '', /mode 0640/);
});

test('`isLoopback` recognizes the addresses that only this machine can reach', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', 'localhost.example.org']) {
    assert.ok(!isLoopback(host), host);
  }
});
