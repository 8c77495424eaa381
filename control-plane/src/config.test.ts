import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settingsTable, settingTypes } from '@mediasoup-server/server-kit/settings';
import { PREFIX, readConfig, settingsSchema } from './config.ts';

const base = { CONTROL_PLANE_DAEMON_KEY: 'sixteen or more characters' };

describe('readConfig', () => {
  test('with the daemon key alone has defaults that listen on loopback', () => {
    const { http, metrics, access, store } = readConfig({ ...base, HOME: '/' });
    assert.deepEqual([http.listenIp, http.listenPort, metrics.metricsPort], ['127.0.0.1', 3000, 9090]);
    assert.deepEqual([access.mode, store.store, http.corsOrigins], ['open', 'embedded', ['*']]);
  });

  for (const [what, environment, names] of [
    ['without the daemon key', { CONTROL_PLANE_DAEMON_KEY: '' }, ['DAEMON_KEY']],
    ['with a short daemon key', { CONTROL_PLANE_DAEMON_KEY: 'short' }, ['DAEMON_KEY']],
    ['with an unknown variable', { CONTROL_PLANE_LISTEN_PROT: '1' }, ['LISTEN_PROT']],
    ['with a port out of range', { CONTROL_PLANE_LISTEN_PORT: '70000' }, ['LISTEN_PORT']],
    [
      'with a certificate without its key',
      { CONTROL_PLANE_TLS_CERT_FILE: import.meta.filename },
      ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    ],
    [
      'with a key without its certificate',
      { CONTROL_PLANE_TLS_KEY_FILE: import.meta.filename },
      ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    ],
    [
      'with half a client certificate',
      { CONTROL_PLANE_DAEMON_CLIENT_CERT_FILE: import.meta.filename },
      ['DAEMON_CLIENT_KEY_FILE'],
    ],
    ['with certificates and no use for them', { CONTROL_PLANE_DAEMON_CA_FILE: import.meta.filename }, ['DAEMON_TLS']],
    ['open beyond loopback', { CONTROL_PLANE_LISTEN_IP: '0.0.0.0' }, ['LISTEN_IP', 'ALLOW_OPEN_BEYOND_LOOPBACK']],
    [
      'with plain HTTP beyond loopback',
      { CONTROL_PLANE_LISTEN_IP: '0.0.0.0', CONTROL_PLANE_DAEMON_TLS: 'true' },
      ['LISTEN_IP', 'TLS_CERT_FILE', 'BEHIND_TLS_PROXY'],
    ],
    [
      'with plain gRPC beyond loopback',
      { CONTROL_PLANE_LISTEN_IP: '0.0.0.0', CONTROL_PLANE_BEHIND_TLS_PROXY: 'true' },
      ['DAEMON_TLS', 'ALLOW_PLAIN_DAEMONS_BEYOND_LOOPBACK'],
    ],
    [
      'with a TLS key that others can read',
      { CONTROL_PLANE_TLS_CERT_FILE: import.meta.filename, CONTROL_PLANE_TLS_KEY_FILE: import.meta.filename },
      ['TLS_KEY_FILE', 'ALLOW_READABLE_KEY_FILES'],
    ],
    [
      'with a client key for daemons that others can read',
      {
        CONTROL_PLANE_DAEMON_TLS: 'true',
        CONTROL_PLANE_DAEMON_CLIENT_CERT_FILE: import.meta.filename,
        CONTROL_PLANE_DAEMON_CLIENT_KEY_FILE: import.meta.filename,
      },
      ['DAEMON_CLIENT_KEY_FILE', 'ALLOW_READABLE_KEY_FILES'],
    ],
    [
      'with a signing key that others can read',
      { CONTROL_PLANE_ASSIGNMENT_KEY_FILE: import.meta.filename },
      ['ASSIGNMENT_KEY_FILE', 'ALLOW_READABLE_KEY_FILES'],
    ],
    [
      'with another signing key that others can read',
      { CONTROL_PLANE_OTHER_ASSIGNMENT_KEY_FILES: import.meta.filename },
      ['OTHER_ASSIGNMENT_KEY_FILES', 'ALLOW_READABLE_KEY_FILES'],
    ],
    ['with an unknown mode', { CONTROL_PLANE_MODE: 'closed' }, ['MODE']],
    [
      'with keys fetched in plain text',
      { CONTROL_PLANE_MODE: 'jwt', CONTROL_PLANE_ACCESS_TOKEN_JWKS_URL: 'http://keys.example.com' },
      ['ACCESS_TOKEN_JWKS_URL'],
    ],
    ['with an unknown store', { CONTROL_PLANE_STORE: 'paper' }, ['STORE']],
    ['with a wrong endpoint', { CONTROL_PLANE_DYNAMODB_ENDPOINT: 'x' }, ['DYNAMODB_ENDPOINT']],
    ['with an endpoint and no use for it', { CONTROL_PLANE_DYNAMODB_ENDPOINT: 'http://x' }, ['DYNAMODB_ENDPOINT']],
    ['with a limit below the interval', { CONTROL_PLANE_SUSPECT_AFTER_MS: '1000' }, ['SUSPECT_AFTER_MS']],
    ['with a limit of nothing', { CONTROL_PLANE_ASSIGNMENTS_PER_MINUTE: '0' }, ['ASSIGNMENTS_PER_MINUTE']],
    ['with a proxy that is no address', { CONTROL_PLANE_TRUSTED_PROXIES: '10.0.0.0/8, lb' }, ['TRUSTED_PROXIES']],
    ['with a wrong log level', { CONTROL_PLANE_LOG_LEVEL: 'loud' }, ['LOG_LEVEL']],
    ['with several mistakes', { CONTROL_PLANE_LISTEN_PORT: 'x', CONTROL_PLANE_MODE: 'y' }, ['LISTEN_PORT', 'MODE']],
  ] as const) {
    test(`${what} throws and names the variables`, () => {
      assert.throws(
        () => readConfig({ ...base, ...environment }),
        (error: Error) => names.every((name) => error.message.includes(PREFIX + name)),
      );
    });
  }

  test('mode "open" listens beyond loopback when every insecure choice is allowed', () => {
    const { http } = readConfig({
      ...base,
      CONTROL_PLANE_LISTEN_IP: '0.0.0.0',
      CONTROL_PLANE_ALLOW_OPEN_BEYOND_LOOPBACK: 'true',
      CONTROL_PLANE_BEHIND_TLS_PROXY: 'true',
      CONTROL_PLANE_ALLOW_PLAIN_DAEMONS_BEYOND_LOOPBACK: 'true',
    });
    assert.equal(http.listenIp, '0.0.0.0');
  });

  test('every setting has a description for the table', () => {
    const rows = settingsTable(settingsSchema, PREFIX).split('\n').slice(2);
    assert.deepEqual(
      rows.filter((row) => row.endsWith('|  |')),
      [],
    );
    assert.equal(rows.length, Object.keys(settingTypes(settingsSchema)).length);
  });
});
