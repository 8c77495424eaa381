import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gatewayPath } from './gatewayPath.ts';
import { operations } from './http/operations.ts';
import { gatewayEvent } from './testing/gatewayEvent.ts';

const pathOf = (path: string, stage?: string) => gatewayPath(gatewayEvent('GET', path, { ...(stage && { stage }) }));

test('paths come back as they were written, whatever is in their ids but "?"', () => {
  const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('?'));
  const template = fc.constantFrom(...Object.keys(operations));
  fc.assert(
    fc.property(template, id, id, fc.constantFrom(undefined, 'v1'), (path, first, second, stage) => {
      // An id that reads like the rest of another path cannot be told from it.
      fc.pre(
        ![first, second].some((text) => /(^|\/)($|assignments|instances|registrations|heartbeats|rooms)/.test(text)),
      );
      const ids = [first, second].map(encodeURIComponent);
      const written = path.replace(/\{\w+\}/g, () => String(ids.shift()));
      assert.equal(pathOf(written, stage), written);
    }),
  );
});

test('a path that is none of the API comes back encoded', () => {
  assert.equal(pathOf('/nope/a%25b'), '/nope/a%25b');
  assert.equal(pathOf('/'), '/');
  assert.equal(pathOf('/v1', 'v1'), '/v1');
});
