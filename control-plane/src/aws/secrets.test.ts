import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { SecretsManager } from '../testing/SecretsManager.ts';
import { DAEMON_KEY, startTestBed } from '../testing/testControlPlane.ts';
import { parseKeyRing } from '../tokens/keyRing.ts';
import { handler } from './rotateKeys.ts';
import { withSecrets } from './secretSettings.ts';

describe('secrets of AWS Secrets Manager', () => {
  let manager: SecretsManager;
  before(async () => {
    manager = await SecretsManager.start();
    process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = manager.endpoint;
    process.env.AWS_REGION = 'us-east-1';
  });
  after(() => {
    manager.close();
    delete process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER;
    delete process.env.AWS_REGION;
  });

  const rotate = async (SecretId: string, ClientRequestToken: string) => {
    for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const) {
      const event = { Step, SecretId, ClientRequestToken };
      await handler(event);
      await handler(event);
    }
  };
  const ringOf = (arn: string) => parseKeyRing(manager.currentOf(arn) ?? '', arn);

  test('a setting that names a secret gets its content, and a setting of a file gets a private file with it', async () => {
    const key = manager.create('daemon-key', DAEMON_KEY);
    const pem = manager.create('access-key', 'a public key');
    const ring = manager.create('ring', 'keys');
    const environment = await withSecrets({
      CONTROL_PLANE_DAEMON_KEY: key,
      CONTROL_PLANE_ACCESS_TOKEN_KEY_FILE: pem,
      CONTROL_PLANE_ASSIGNMENT_KEY_SECRET: ring,
      CONTROL_PLANE_TABLE_PREFIX: 'prefix',
      OTHER: key,
    });
    const { CONTROL_PLANE_ACCESS_TOKEN_KEY_FILE: file = '', ...others } = environment;
    assert.deepEqual(others, {
      CONTROL_PLANE_DAEMON_KEY: DAEMON_KEY,
      CONTROL_PLANE_ASSIGNMENT_KEY_SECRET: ring,
      CONTROL_PLANE_TABLE_PREFIX: 'prefix',
      OTHER: key,
    });
    assert.equal(await readFile(file, 'utf8'), 'a public key');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('one that cannot be read stops the start with the names of the settings', async () => {
    const missing = manager.create('missing');
    const environment = { CONTROL_PLANE_DAEMON_KEY: missing, CONTROL_PLANE_DAEMON_CA_FILE: missing };
    await assert.rejects(withSecrets(environment), (error: Error) => {
      for (const name of Object.keys(environment))
        assert.match(error.message, new RegExp(`^${name}: .*${missing}`, 'm'));
      return error.name === 'SettingsError';
    });
  });

  test('the rotation creates and rotates assignment keys, in steps that may be repeated, and the control plane signs with them', async () => {
    const arn = manager.create('assignment-keys');
    await handler({ SecretId: arn });
    const [first] = ringOf(arn).keys;
    await handler({ SecretId: arn });
    assert.deepEqual(ringOf(arn).keys, [first]);
    await rotate(arn, 'version 2');
    assert.deepEqual(ringOf(arn).keys[0], first);
    assert.equal(ringOf(arn).keys.length, 2);
    const bed = await startTestBed();
    const { url } = await bed.another({ assignmentKeySecret: arn });
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: unknown[] };
    assert.equal(keys.length, 2);
    await assert.rejects(bed.another({ assignmentKeySecret: manager.create('empty', '{}') }), /empty-AbCdEf holds no/);
    await bed.close();
  });
});
