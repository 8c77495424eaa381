import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LossyInbox, protocolOf } from './LossyInbox.ts';
import { withNumber } from './numbered.ts';

const protocol = protocolOf('a1');

test('`LossyInbox` lets a message through once, text or bytes, in whatever order the connections bring them', () => {
  const inbox = new LossyInbox();
  const bytes = new Uint8Array([0, 255, 7]);
  assert.equal(inbox.take('alice', protocol, withNumber(0, 'one: 1')), 'one: 1');
  assert.equal(inbox.take('alice', protocol, withNumber(2, 'same')), 'same');
  assert.deepEqual(inbox.take('alice', protocol, withNumber(1, bytes)), bytes);
  assert.equal(inbox.take('alice', protocol, withNumber(0, 'one: 1')), undefined);
  assert.equal(inbox.take('alice', protocol, withNumber(1, bytes)), undefined);
  assert.equal(inbox.take('alice', protocol, withNumber(3, 'same')), 'same');
});

test('`LossyInbox` tells senders apart, and who comes back after leaving', () => {
  const inbox = new LossyInbox();
  const first = (peerId: string, sender = protocol) => inbox.take(peerId, sender, withNumber(0, 'hi'));
  assert.equal(first('alice'), 'hi');
  assert.equal(first('bob'), 'hi');
  assert.equal(first('alice', protocolOf('a2')), 'hi');
  inbox.forget('alice');
  assert.equal(first('alice'), 'hi');
  assert.equal(first('bob'), undefined);
});

test('`LossyInbox` hands on what a sender without the SDK sends, and drops nonsense of one that claims to be it', () => {
  const inbox = new LossyInbox();
  assert.equal(inbox.take('alice', '', '0:hi'), '0:hi');
  assert.equal(inbox.take('alice', '', '0:hi'), '0:hi');
  assert.equal(inbox.take('alice', protocol, 'no number'), undefined);
  assert.equal(inbox.take('alice', protocol, new Uint8Array(2)), undefined);
});

test('`LossyInbox` remembers no more of a sender than it must', () => {
  const inbox = new LossyInbox();
  for (let number = 0; number < 2_000; number++) inbox.take('alice', protocol, withNumber(number, ''));
  assert.equal(inbox.take('alice', protocol, withNumber(0, '')), '', 'so long ago that it is forgotten');
  assert.equal(inbox.take('alice', protocol, withNumber(1_999, '')), undefined);
});
