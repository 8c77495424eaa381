import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readInvitation } from './invitation.ts';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('`readInvitation` reads whom the token is for, in any script', () => {
  const token = `${part({ alg: 'HS256' })}.${part({ sub: 'Zoë>?', room: '会議', exp: 1_790_000_000 })}.c2ln`;
  assert.deepEqual(readInvitation(`#token=${token}`), {
    token,
    roomId: '会議',
    peerId: 'Zoë>?',
    expiresAt: 1_790_000_000_000,
  });
});

test('`readInvitation` without a token is none', () => {
  assert.equal(readInvitation(''), undefined);
  assert.equal(readInvitation('#token='), undefined);
  assert.equal(readInvitation('#chat'), undefined);
});

test('`readInvitation` keeps a text that is no token, for the service to refuse', () => {
  for (const token of ['nonsense', 'a.b.c', `x.${part([])}.y`, `x.${Buffer.from('null').toString('base64url')}.y`]) {
    assert.deepEqual(readInvitation(`#token=${token}`), { token, roomId: '', peerId: '', expiresAt: 0 });
  }
});
