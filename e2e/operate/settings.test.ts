import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as controlPlane from '@mediasoup-server/control-plane/config';
import * as mediaDaemon from '@mediasoup-server/media-daemon/config';
import { settingTypes, variableName } from '@mediasoup-server/server-kit/settings';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** An invalid value for each setting. */
const wrongValues = {
  [controlPlane.PREFIX]: {
    listenIp: 'here',
    listenPort: '65536',
    tlsCertFile: '/none',
    tlsKeyFile: '/none',
    metricsIp: '1.2.3',
    metricsPort: '-1',
    mode: 'closed',
    accessTokenSecret: 'short',
    accessTokenKeyFile: '/none',
    accessTokenJwksUrl: 'keys.example.com',
    daemonTls: 'yes',
    daemonCaFile: '/none',
    daemonClientCertFile: '/none',
    daemonClientKeyFile: '/none',
    allowOpenBeyondLoopback: '1',
    store: 'paper',
    dynamodbEndpoint: 'localhost',
    awsRegion: 'Mars!',
    tablePrefix: 'a b',
    dataDir: `${fileURLToPath(import.meta.url)}/data`,
    daemonKey: 'short',
    assignmentKeyFile: '/none',
    otherAssignmentKeyFiles: '/none',
    assignmentKeySecret: 'a secret',
    staticDir: '/none',
    staticSecurityPolicy: 'a\nb',
    behindTlsProxy: '1',
    allowPlainDaemonsBeyondLoopback: '1',
    allowReadableKeyFiles: '1',
    iceServers: 'turn:a',
    turnUrls: 'stun:a',
    turnSecret: 'short',
    turnCredentialSeconds: '1',
    heartbeatIntervalMs: '0',
    suspectAfterMs: 'soon',
    corsOrigins: 'app.example.com',
    assignmentsPerMinute: '0',
    requestsPerMinute: '0',
    wrongKeysPerMinute: '1.5',
    trustedProxies: 'the proxy',
    cloudwatchNamespace: 'a b',
    logLevel: 'loud',
  },
  [mediaDaemon.PREFIX]: {
    daemonId: '..',
    listenIp: 'here',
    listenPort: 'x',
    tlsCertFile: '/none',
    tlsKeyFile: '/none',
    certificatePollMs: '1',
    publicUrl: 'https://media.example.com',
    mode: 'closed',
    allowOpenBeyondLoopback: 'no',
    grpcIp: 'here',
    allowPlainGrpcBeyondLoopback: 'no',
    grpcTlsCertFile: '/none',
    grpcTlsKeyFile: '/none',
    grpcClientCaFile: '/none',
    grpcPort: '65536',
    grpcMaxIpConnections: '0',
    grpcAddress: 'media.example.com',
    metricsIp: 'here',
    metricsPort: 'x',
    workers: '0',
    rtcIp: 'here',
    rtcAnnouncedAddress: 'http://media.example.com',
    rtcPort: 'x',
    rtcBatch: 'perhaps',
    workerBin: '/etc/passwd',
    workerTimeoutMs: '0',
    allowPlainControlPlaneBeyondLoopback: 'no',
    allowReadableKeyFiles: 'no',
    controlPlaneUrl: 'control.example.com',
    daemonKey: 'short',
    region: '..',
    zone: 'x'.repeat(129),
    iceServers: '{}',
    turnUrls: 'turn.example.com',
    turnSecret: 'short',
    turnCredentialSeconds: 'long',
    trustedProxies: 'the proxy',
    logLevel: 'loud',
  },
};

const read = {
  [controlPlane.PREFIX]: (environment: Record<string, string>) =>
    controlPlane.readConfig({ CONTROL_PLANE_DAEMON_KEY: 'a key of the tests alone', ...environment }),
  [mediaDaemon.PREFIX]: (environment: Record<string, string>) => mediaDaemon.readConfig(environment),
};

for (const { PREFIX, settingsSchema } of [controlPlane, mediaDaemon]) {
  const wrong: Readonly<Record<string, string | undefined>> = wrongValues[PREFIX] ?? {};

  for (const setting of Object.keys(settingTypes(settingsSchema))) {
    // A setting whose default is a number gets a negative one.
    const variable = variableName(PREFIX, setting);
    test(`an invalid ${variable} is refused with its name`, () => {
      const fallback = settingTypes(settingsSchema)[setting as never] as {
        safeParse(given: unknown): { data?: unknown };
      };
      const value = wrong[setting] ?? (typeof fallback.safeParse(undefined).data === 'number' ? '-1' : undefined);
      assert.ok(value !== undefined, `${setting} needs a wrong value in this table`);
      assert.throws(() => read[PREFIX]?.({ [variable]: value }), {
        name: 'SettingsError',
        message: new RegExp(`^${variable}\\b`, 'm'),
      });
    });
  }
}

test('every variable in documents and templates is a setting, and the reference lists every setting', async () => {
  const known = new Set(
    [controlPlane, mediaDaemon].flatMap(({ PREFIX, settingsSchema }) =>
      Object.keys(settingTypes(settingsSchema)).map((setting) => variableName(PREFIX, setting)),
    ),
  );
  // The codes of errors look like settings.
  const documents = execFileSync(
    'git',
    [
      'ls-files',
      '*.md',
      '*.env',
      '*.yaml',
      '*.yml',
      '*Dockerfile',
      '*.service',
      'Makefile',
      ':!docs/reference/sdk.md',
      ':!docs/reference/errors.md',
    ],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const named = new Map<string, string>();
  for (const document of documents.trim().split('\n')) {
    for (const [variable] of (await readFile(`${root}/${document}`, 'utf8')).matchAll(
      /\b(CONTROL_PLANE|MEDIA_DAEMON)_[A-Z][A-Z_]*[A-Z]\b/g,
    ))
      named.set(variable, document);
  }
  assert.deepEqual(
    [...named].filter(([variable]) => !known.has(variable)),
    [],
  );
  for (const [page, { PREFIX, settingsSchema }] of [
    ['control-plane-settings', controlPlane],
    ['media-daemon-settings', mediaDaemon],
  ] as const) {
    const text = await readFile(`${root}/docs/reference/${page}.md`, 'utf8');
    for (const setting of Object.keys(settingTypes(settingsSchema))) {
      const variable = variableName(PREFIX, setting);
      assert.match(text, new RegExp(`^\\| \`${variable}\` \\| .* \\| .+ \\|$`, 'm'), variable);
    }
  }
});
