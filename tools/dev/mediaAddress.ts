import type { NetworkInterfaceInfo } from 'node:os';

/**
 * The address at which browsers on this machine reach media, given the machine's `networkInterfaces()`.
 *
 * Falls back to loopback on a machine without a network. Browsers do not offer loopback ICE candidates, and Firefox pairs
 * none of its candidates with a loopback address.
 */
export function mediaAddress(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): string {
  const addresses = Object.values(interfaces).flatMap((given) => given ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
