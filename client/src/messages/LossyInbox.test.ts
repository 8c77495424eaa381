import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LossyInbox, protocolOf } from './LossyInbox.ts';
import { withNumber } from './numbered.ts';

const protocol = protocolOf('a1');

test('`LossyInbox` delivers each message once, text or bytes, in any order', () => {
  const inbox = new LossyInbox();
  const bytes = new Uint8Array([0, 255, 7]);
  assert.equal(inbox.take('alice', protocol, withNumber(0, 'one: 1')), 'one: 1');
  assert.equal(inbox.take('alice', protocol, withNumber(2, 'same')), 'same');
  assert.deepEqual(inbox.take('alice', protocol, withNumber(1, bytes)), bytes);
  assert.equal(inbox.take('alice', protocol, withNumber(0, 'one: 1')), undefined);
  assert.equal(inbox.take('alice', protocol, withNumber(1, bytes)), undefined);
  assert.equal(inbox.take('alice', protocol, withNumber(3, 'same')), 'same');
});

test('`LossyInbox` distinguishes senders, and a peer that left from the same peer come back', () => {
  const inbox = new LossyInbox();
  const first = (peerId: string, sender = protocol) => inbox.take(peerId, sender, withNumber(0, 'hi'));
  assert.equal(first('alice'), 'hi');
  assert.equal(first('bob'), 'hi');
  assert.equal(first('alice', protocolOf('a2')), 'hi');
  inbox.forget('alice');
  assert.equal(first('alice'), 'hi');
  assert.equal(first('bob'), undefined);
});

test('`LossyInbox` delivers all messages of senders without the SDK, and drops messages without a valid number', () => {
  const inbox = new LossyInbox();
  assert.equal(inbox.take('alice', '', '0:hi'), '0:hi');
  assert.equal(inbox.take('alice', '', '0:hi'), '0:hi');
  assert.equal(inbox.take('alice', protocol, 'no number'), undefined);
  assert.equal(inbox.take('alice', protocol, new Uint8Array(2)), undefined);
});

test('`LossyInbox` keeps the last 1024 numbers of a sender', () => {
  const inbox = new LossyInbox();
  for (let number = 0; number < 2_000; number++) inbox.take('alice', protocol, withNumber(number, ''));
  assert.equal(inbox.take('alice', protocol, withNumber(0, '')), '', 'older than the numbers that are kept');
  assert.equal(inbox.take('alice', protocol, withNumber(1_999, '')), undefined);
});
