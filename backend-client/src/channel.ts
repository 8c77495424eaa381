import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Client, type ClientOptions, credentials } from '@grpc/grpc-js';

/** TLS settings for a media daemon's gRPC server; each in PEM. */
export type ChannelTls = {
  /** The certificate authorities of its certificate; the public ones by default. */
  readonly ca?: Buffer | undefined;
  /** The client certificate and its key, if the server requires one. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
};

/**
 * A channel to a media daemon's gRPC server, which connects at the first call.
 *
 * @param address `host:port`.
 * @param tls plain text without it.
 * @throws Error when the certificates cannot be used.
 */
export function openChannel(address: string, tls?: ChannelTls, options: ClientOptions = {}): Client {
  if (!tls) return new Client(address, credentials.createInsecure(), options);
  const { ca = null, key = null, cert = null } = tls;
  const ip = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (isIP(ip) === 0) return new Client(address, credentials.createSsl(ca, key, cert), options);
  // TLS has no server name for an IP address (RFC 6066, 3), and Node refuses the one that grpc-js sends. So another name is
  // sent, and the certificate is checked against the address.
  const secure = credentials.createSsl(ca, key, cert, {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(ip, certificate),
  });
  return new Client(address, secure, { ...options, 'grpc.ssl_target_name_override': 'address.invalid' });
}
