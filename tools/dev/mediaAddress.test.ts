import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { mediaAddress } from './mediaAddress.ts';

const of = (address: string, internal = false): NetworkInterfaceInfo => {
  const common = { address, internal, netmask: '', mac: '', cidr: null };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
};
const lo = [of('127.0.0.1', true), of('::1', true)];

test('`mediaAddress` is the first IPv4 address that is not internal', () => {
  const eth0 = [of('fe80::2'), of('192.0.2.2')];
  assert.equal(mediaAddress({ lo, eth0, docker0: [of('172.17.0.1')] }), '192.0.2.2');
});

test('`mediaAddress` without such an address is loopback', () => {
  assert.equal(mediaAddress({ lo, eth0: [of('fd00::2')], down: undefined }), '127.0.0.1');
  assert.equal(mediaAddress({}), '127.0.0.1');
});
