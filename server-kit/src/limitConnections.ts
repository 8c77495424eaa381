import type { Server, Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';
import type { Logger } from './logger.ts';

/** The shortest time between two log lines about refusals, ms, so that a loop of connections does not fill the disk. */
const LOG_INTERVAL_MS = 60_000;

export type ConnectionLimit = {
  /** The most open connections of one address. */
  readonly most: number;
  /** Addresses and networks of proxies. They are not limited, because all clients may come from them. */
  readonly trustedProxies: readonly string[];
  /** Called for each connection that is refused. */
  readonly onRefused: () => void;
};

/**
 * Limits the open TCP connections of each address. A connection beyond the limit is closed before a request, or a TLS
 * handshake, is read from it.
 */
export function limitConnections(
  server: Server,
  { most, trustedProxies, onRefused }: ConnectionLimit,
  logger: Logger,
): void {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  const open = new Map<string, number>();
  let unlogged = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  const refused = (address: string): void => {
    onRefused();
    unlogged++;
    if (performance.now() - loggedAt < LOG_INTERVAL_MS) return;
    logger.warn({ address, most, refused: unlogged }, 'connections of one address refused');
    unlogged = 0;
    loggedAt = performance.now();
  };
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    // A connection that is already reset has no address.
    if (remoteAddress === undefined || isTrusted(remoteAddress, 0)) return;
    const owner = addressOwner(remoteAddress);
    const count = open.get(owner) ?? 0;
    if (count >= most) {
      socket.destroy();
      refused(owner);
      return;
    }
    open.set(owner, count + 1);
    socket.once('close', () => {
      const left = (open.get(owner) ?? 1) - 1;
      if (left > 0) open.set(owner, left);
      else open.delete(owner);
    });
  });
}

/** The key of an address's owner: the address itself, or the first 64 bits of an IPv6 address, because one subscriber has all of those. */
export function addressOwner(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv4' ? address.toString() : address.toByteArray().slice(0, 8).join('.');
}
