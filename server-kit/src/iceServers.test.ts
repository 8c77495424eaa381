import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { z } from 'zod';
import { iceServerSettings, iceServersFor, missingTurnSetting } from './iceServers.ts';

const stun = { urls: 'stun:stun.example.com' };
const turn = { turnUrls: ['turn:a', 'turns:b:443?transport=tcp'], turnSecret: 'a secret of the tests' };

test('`iceServers` accepts a list of servers as JSON, and names the error otherwise', () => {
  const servers = [{ urls: ['turn:a', 'turn:b'], username: 'u', credential: 'c' }, stun];
  assert.deepEqual(iceServerSettings.iceServers.parse(JSON.stringify(servers)), servers);
  for (const [text, why] of [
    ['turn:a', /is not JSON/],
    ['{"urls":"turn:a"}', /is not a list/],
    ['[{}]', /urls|input/i],
  ] as const) {
    assert.match(iceServerSettings.iceServers.safeParse(text).error?.issues[0]?.message ?? '', why, text);
  }
});

test('`turnUrls` accepts URLs of TURN servers only', () => {
  const good = 'turn:turn.example.com, turns:192.0.2.1:5349?transport=tcp,turn:[2001:db8::1]:3478?transport=udp';
  assert.equal(iceServerSettings.turnUrls.parse(good).length, 3);
  for (const wrong of ['stun:a', 'turn.example.com', 'turn:', 'turn:a?transport=sctp', 'turn:u@a', 'turn:a,x']) {
    assert.match(iceServerSettings.turnUrls.safeParse(wrong).error?.issues[0]?.message ?? '', /not a TURN URL/, wrong);
  }
});

test('`iceServersFor` without a secret returns the configured servers', () => {
  assert.deepEqual(iceServersFor('alice', { iceServers: [stun] }), [stun]);
});

test('`iceServersFor` with a secret adds credentials with their expiry and the peer’s id', () => {
  const settings = { iceServers: [stun], ...turn, turnCredentialSeconds: 3600 };
  for (const [peerId, name] of [
    ['alice', 'alice'],
    ['a:b/ü', 'a%3Ab%2F%C3%BC'],
  ] as const) {
    const username = `1700003600:${name}`;
    const credential = createHmac('sha1', turn.turnSecret).update(username).digest('base64');
    assert.deepEqual(iceServersFor(peerId, settings, 1_700_000_000_999), [
      stun,
      { urls: turn.turnUrls, username, credential },
    ]);
  }
});

test('`iceServersFor` creates a user name of the longest id that STUN can carry', () => {
  const settings = z.object(iceServerSettings).parse({ turnUrls: 'turn:a', turnSecret: turn.turnSecret });
  const [server] = iceServersFor('ü'.repeat(64), settings);
  assert.ok(Buffer.byteLength(server?.username ?? '') < 509, 'RFC 8489, 14.3');
});

test('`missingTurnSetting` names the one of the two that is missing', () => {
  assert.equal(missingTurnSetting({ iceServers: [], ...turn }), undefined);
  assert.equal(missingTurnSetting({ iceServers: [] }), undefined);
  assert.equal(missingTurnSetting({ iceServers: [], turnUrls: turn.turnUrls })?.setting, 'turnSecret');
  assert.equal(missingTurnSetting({ iceServers: [], turnSecret: turn.turnSecret })?.setting, 'turnUrls');
});
