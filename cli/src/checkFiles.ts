import { AccessTokens } from '@mediasoup-server/control-plane/access-tokens';
import { AssignmentKeys } from '@mediasoup-server/control-plane/assignment-keys';
import type { Config } from '@mediasoup-server/control-plane/config';
import { readDaemonTls } from '@mediasoup-server/control-plane/daemon-tls';
import type { DaemonConfig } from '@mediasoup-server/media-daemon/config';
import { readCertificate } from '@mediasoup-server/server-kit/listener';

/**
 * Looks whether the keys and certificates that the settings of a server name can be used, as its start does.
 *
 * @throws Error that names the file at fault.
 */
export async function checkFiles(config: Config | DaemonConfig): Promise<void> {
  await checkCertificate(config.tlsCertFile, config.tlsKeyFile);
  if ('grpcPort' in config) {
    await checkCertificate(config.grpcTlsCertFile, config.grpcTlsKeyFile);
    return;
  }
  await readDaemonTls(config);
  if (config.mode === 'jwt') await AccessTokens.load(config);
  const { assignmentKeyFile: file, otherAssignmentKeyFiles: otherFiles, dataDir } = config;
  // Without one the start makes it.
  if (file !== undefined) await AssignmentKeys.load({ file, otherFiles, dataDir });
}

async function checkCertificate(certFile: string | undefined, keyFile: string | undefined): Promise<void> {
  if (certFile !== undefined && keyFile !== undefined) await readCertificate({ certFile, keyFile });
}
