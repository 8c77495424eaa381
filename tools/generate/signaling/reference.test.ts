import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import specs from '@asyncapi/specs';
import { Ajv, type AnySchema } from 'ajv';
import type { Examples } from './Examples.ts';

type Message = { readonly payload: object; readonly examples?: readonly { readonly payload: unknown }[] };
type Document = {
  readonly channels: { readonly signaling: { readonly messages: Readonly<Record<string, Message>> } };
};

const text = (name: string): Promise<string> => readFile(new URL(`../../../proto/${name}`, import.meta.url), 'utf8');
const document = JSON.parse(await text('asyncapi.json'));
const { messages } = (document as Document).channels.signaling;

/** AsyncAPI's schema brings its own copy of draft 7, which stands in the way of ajv's. */
const ajv = new Ajv({ strict: false, meta: false, validateSchema: false, validateFormats: false });

test('proto/asyncapi.json is what AsyncAPI 3.0 says, and all that it refers to is there', () => {
  const isAsyncApi = ajv.compile({ ...specs.schemas['3.0.0'] } as AnySchema);
  assert.ok(isAsyncApi(document), JSON.stringify(isAsyncApi.errors?.slice(0, 5)));
  const refs = new Set([...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path));
  assert.ok(refs.size > 0);
  for (const path of refs) {
    let found = document;
    for (const name of path.split('/')) found = found?.[name];
    assert.equal(typeof found, 'object', path);
  }
});

test('each example of proto/asyncapi.json is what its schema says, envelope and all', async () => {
  const { resumed }: Examples = JSON.parse(await text('signaling-examples.json'));
  const more: Record<string, unknown[]> = {
    'joinRoom.request': [resumed.request],
    'joinRoom.response': [resumed.response],
  };
  for (const [name, { payload, examples = [] }] of Object.entries(messages)) {
    const isValid = ajv.compile({ ...payload, components: document.components });
    for (const example of [...examples.map((each) => each.payload), ...(more[name] ?? [])]) {
      assert.ok(isValid(example), `${name}: ${JSON.stringify(isValid.errors)}`);
    }
    assert.ok(!isValid({}), `${name} takes anything`);
  }
});

test('each answer of an example has the id of its request', async () => {
  const examples: Examples = JSON.parse(await text('signaling-examples.json'));
  for (const { request, response } of [...Object.values(examples.requests), examples.refused, examples.resumed]) {
    assert.equal(response.id, request.id);
    assert.equal(request.request, true);
    assert.equal(response.response, true);
  }
});
