import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { run } from '@mediasoup-server/cli/run';
import { readConfig } from '@mediasoup-server/control-plane/config';
import * as mediaDaemon from '@mediasoup-server/media-daemon/config';
import { settingTypes } from '@mediasoup-server/server-kit/settings';
import { parse } from 'yaml';

/** Tests build no images, so these check the files against the code. */

type Service = {
  readonly build: { readonly target: string };
  readonly environment: Record<string, string>;
  readonly read_only: boolean;
  readonly network_mode: string;
  readonly stop_grace_period?: string;
};

const read = (name: string) => readFile(new URL(`../../deploy/docker/${name}`, import.meta.url), 'utf8');
const compose = parse(await read('compose.yaml'), { merge: true }) as { services: Record<string, Service> };
const stages = new Map(
  (await read('Dockerfile')).split(/^(?=FROM )/m).map((text) => [/^FROM \S+ AS (\S+)/.exec(text)?.[1], text]),
);
/** Values for the variables that the compose file requires. */
const given = { DAEMON_KEY: 'a key of sixteen characters or more', MEDIA_IP: '192.0.2.1' };

const readers: Record<string, (environment: Record<string, string>) => unknown> = {
  'control-plane': readConfig,
  'media-daemon': mediaDaemon.readConfig,
};

for (const [name, service] of Object.entries(compose.services)) {
  test(`the service ${name} is confined, and its server accepts its settings`, () => {
    const { read_only, network_mode, environment } = service;
    assert.deepEqual({ read_only, network_mode }, { read_only: true, network_mode: 'host' });
    const filled = Object.entries(environment).map(([variable, value]) => [
      variable,
      value.replace(/\$\{(\w+):\?[^}]+\}/g, (_all, asked: keyof typeof given) => given[asked]),
    ]);
    assert.doesNotThrow(() => readers[name]?.(Object.fromEntries(filled)));
  });

  test(`the image ${name} runs as an unprivileged user, and its health check runs an existing command`, async () => {
    const stage = stages.get(service.build.target) ?? assert.fail('the Dockerfile has no such stage');
    assert.match(stage, /^USER [1-9]\d*$/m);
    const [program, ...words] = JSON.parse(/HEALTHCHECK .* CMD (\[.+\])/.exec(stage)?.[1] ?? '[]');
    assert.equal(program, 'mediasoup-server');
    const nothing = { write: () => {} };
    // 3: the command is valid, and nobody answers.
    const environment = {
      CONTROL_PLANE_DAEMON_KEY: given.DAEMON_KEY,
      CONTROL_PLANE_LISTEN_PORT: '1',
      MEDIA_DAEMON_LISTEN_PORT: '1',
    };
    assert.equal(await run(words, { environment, stdout: nothing, stderr: nothing }), 3);
  });
}

test('Docker waits longer for the media daemon to stop than a drain takes', () => {
  const seconds = Number.parseInt(compose.services['media-daemon']?.stop_grace_period ?? '', 10);
  assert.ok(seconds * 1000 >= settingTypes(mediaDaemon.settingsSchema).drainDeadlineMs.parse(undefined) + 30_000);
});
