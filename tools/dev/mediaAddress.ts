import type { NetworkInterfaceInfo } from 'node:os';

/**
 * The address at which browsers on this machine reach media, given the machine's `networkInterfaces()`.
 *
 * Loopback is the last resort, for a machine without any network: browsers leave it out of their ICE candidates, and
 * Firefox then has nothing that it would pair with a loopback address.
 */
export function mediaAddress(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): string {
  const addresses = Object.values(interfaces).flatMap((given) => given ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
