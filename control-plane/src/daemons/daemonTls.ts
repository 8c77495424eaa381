import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ChannelTls } from '@mediasoup-server/backend-client/channel';

export type DaemonTlsSettings = {
  readonly daemonTls: boolean;
  readonly daemonCaFile?: string | undefined;
  readonly daemonClientCertFile?: string | undefined;
  readonly daemonClientKeyFile?: string | undefined;
};

/**
 * What media daemons' gRPC servers are reached with; undefined for plain text.
 *
 * @throws Error that names the file at fault.
 */
export async function readDaemonTls(settings: DaemonTlsSettings): Promise<ChannelTls | undefined> {
  if (!settings.daemonTls) return undefined;
  const files = [settings.daemonCaFile, settings.daemonClientCertFile, settings.daemonClientKeyFile];
  const [ca, cert, key] = await Promise.all(files.map(readPem));
  try {
    createSecureContext({ ca, cert, key });
  } catch (error) {
    const named = files.filter((file) => file !== undefined).join(', ');
    throw new Error(`cannot use the certificates for media daemons, ${named}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return { ca, cert, key };
}

const readPem = async (file: string | undefined): Promise<Buffer | undefined> =>
  file === undefined
    ? undefined
    : readFile(file).catch((error: Error) => {
        throw new Error(`cannot read the certificate or key for media daemons ${file}: ${error.message}`, {
          cause: error,
        });
      });
