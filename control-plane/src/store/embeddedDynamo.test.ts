import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { startEmbeddedDynamo } from './embeddedDynamo.ts';

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'embedded-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function start(t: TestContext, dataDir = temporaryDirectory(t)) {
  const store = await startEmbeddedDynamo(dataDir);
  t.after(() => store.close());
  return store;
}

function list(t: TestContext, endpoint: string, credentials: { accessKeyId: string; secretAccessKey: string }) {
  const client = new DynamoDBClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 });
  t.after(() => client.destroy());
  return client.send(new ListTablesCommand({}));
}

test('the embedded store accepts requests with its key and refuses all others', async (t) => {
  const { endpoint, credentials } = await start(t);
  assert.deepEqual((await list(t, endpoint, credentials)).TableNames, []);
  for (const accessKeyId of ['embedded', 'test', `${credentials.accessKeyId}0`, 'x'.repeat(48)])
    await assert.rejects(list(t, endpoint, { accessKeyId, secretAccessKey: 'embedded' }), accessKeyId);
  for (const path of ['', '/', '/?X-Amz-Algorithm=a&X-Amz-Credential=b']) {
    for (const method of ['GET', 'POST', 'OPTIONS', 'PUT'])
      assert.equal((await fetch(endpoint + path, { method })).status, 403, `${method} ${path}`);
  }
});

test('the embedded store gives no web page leave to read its answers', async (t) => {
  const { endpoint, credentials } = await start(t);
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20260101/us-east-1/dynamodb/aws4_request`;
  const origin = 'https://page.example';
  for (const headers of [{ origin }, { origin, authorization }, { origin, 'access-control-request-method': 'POST' }]) {
    for (const method of ['POST', 'OPTIONS']) {
      const answer = await fetch(endpoint, { method, headers: headers as Record<string, string> });
      const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control'));
      assert.deepEqual(names, [], method);
    }
  }
});

test("only the store's own user can read its folder and files, also those of a former version", async (t) => {
  const dataDir = temporaryDirectory(t);
  const folder = join(dataDir, 'dynamodb');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'LOG'), '', { mode: 0o644 });
  const { endpoint, credentials } = await start(t, dataDir);
  await list(t, endpoint, credentials);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const files = readdirSync(folder);
  assert.ok(files.length > 3, files.join());
  for (const name of files) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
});
