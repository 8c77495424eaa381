import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PREFIX, readConfig } from './config.ts';

/** A file that other users can read. */
const readable = import.meta.filename;
const key = { DAEMON_KEY: 'a key of sixteen characters or more' };
const jwt = { MODE: 'jwt', CONTROL_PLANE_URL: 'https://control.example.com', ...key };
const secureGrpc = { GRPC_TLS_CERT_FILE: readable, GRPC_TLS_KEY_FILE: readable, ALLOW_READABLE_KEY_FILES: 'true' };

const read = (settings: Readonly<Record<string, string>>) =>
  readConfig(Object.fromEntries(Object.entries(settings).map(([name, value]) => [PREFIX + name, value])));

for (const [what, settings, allowed] of [
  ['mode "open" beyond loopback', { LISTEN_IP: '0.0.0.0' }, 'ALLOW_OPEN_BEYOND_LOOPBACK'],
  ['plain gRPC beyond loopback', { GRPC_IP: '0.0.0.0' }, 'ALLOW_PLAIN_GRPC_BEYOND_LOOPBACK'],
  ['plain gRPC beyond loopback in mode "jwt"', { GRPC_IP: '192.0.2.1', ...jwt }, 'ALLOW_PLAIN_GRPC_BEYOND_LOOPBACK'],
  [
    'gRPC over TLS beyond loopback that obeys everybody',
    { GRPC_IP: '::', ...secureGrpc },
    'ALLOW_PLAIN_GRPC_BEYOND_LOOPBACK',
  ],
  [
    'a control plane on another machine without TLS in mode "jwt"',
    { ...jwt, CONTROL_PLANE_URL: 'http://control.example.com' },
    'ALLOW_PLAIN_CONTROL_PLANE_BEYOND_LOOPBACK',
  ],
  ['a key that others can read', { TLS_CERT_FILE: readable, TLS_KEY_FILE: readable }, 'ALLOW_READABLE_KEY_FILES'],
  [
    'a gRPC key that others can read',
    { GRPC_TLS_CERT_FILE: readable, GRPC_TLS_KEY_FILE: readable },
    'ALLOW_READABLE_KEY_FILES',
  ],
] as const) {
  test(`${what} is refused, and accepted with ${allowed}`, () => {
    assert.throws(() => read(settings), new RegExp(`^SettingsError: ${PREFIX}\\w+: .*\\b${PREFIX}${allowed}=true`));
    read({ ...settings, [allowed]: 'true' });
  });
}

for (const [what, settings] of [
  ['no settings at all', {}],
  ['gRPC over TLS with command tokens beyond loopback', { GRPC_IP: '0.0.0.0', ...secureGrpc, ...jwt }],
  ['gRPC with client certificates beyond loopback', { GRPC_IP: '::', ...secureGrpc, GRPC_CLIENT_CA_FILE: readable }],
  ['a plain control plane on this machine', { ...jwt, CONTROL_PLANE_URL: 'http://[::1]:3000' }],
] as const)
  test(`${what} needs no insecure setting`, () => void read(settings));
