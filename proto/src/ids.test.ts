import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idSchema } from './ids.ts';

test('an id of 1 to 128 bytes without control characters is valid and stays as it is', () => {
  const valid = [
    'a',
    'room-1',
    ' ',
    'a/b?c#d%e',
    '...',
    '.a',
    '**',
    'שלום',
    'räum',
    '会議',
    '👩‍🚀',
    'x'.repeat(128),
    'é'.repeat(64),
  ];
  for (const id of valid) assert.equal(idSchema.parse(id), id);
});

test('an id that is empty, too long, a folder is reserved or has control characters is refused with the reason', () => {
  const invalid: [unknown, RegExp][] = [
    ['', /is empty/],
    ['x'.repeat(129), /longer than 128 bytes/],
    ['é'.repeat(65), /longer than 128 bytes/],
    ['👩'.repeat(33), /longer than 128 bytes/],
    ['a\nb', /control character/],
    ['\0', /control character/],
    ['\u007f', /control character/],
    ['\u0085', /control character/],
    ['a\u2028b', /control character/],
    ['a\u2029b', /control character/],
    ['\ud800', /half a surrogate pair/],
    ['a\udc00', /half a surrogate pair/],
    ['.', /is "\." or "\.\."/],
    ['*', /is "\*"/],
    ...['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069'].map((control): [string, RegExp] => [
      `a${control}b`,
      /direction of text/,
    ]),
    ['..', /is "\." or "\.\."/],
    [1, /string/],
    [undefined, /string/],
    [null, /string/],
  ];
  for (const [id, reason] of invalid) {
    const { success, error } = idSchema.safeParse(id);
    assert.equal(success, false, JSON.stringify(id));
    assert.match(error?.issues[0]?.message ?? '', reason, JSON.stringify(id));
  }
});
