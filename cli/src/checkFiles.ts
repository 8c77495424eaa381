import { AccessTokens } from '@mediasoup-server/control-plane/access-tokens';
import { AssignmentKeys } from '@mediasoup-server/control-plane/assignment-keys';
import type { Config } from '@mediasoup-server/control-plane/config';
import { readDaemonTls } from '@mediasoup-server/control-plane/daemon-tls';
import type { DaemonConfig } from '@mediasoup-server/media-daemon/config';
import { readCertificate } from '@mediasoup-server/server-kit/listener';

/**
 * Reads the keys and certificates of the control plane's settings, as its start does.
 *
 * @throws Error that names the file at fault.
 */
export async function checkControlPlaneFiles({ http, daemons, access, assignmentKeys, store }: Config): Promise<void> {
  await checkCertificate(http.tlsCertFile, http.tlsKeyFile);
  await readDaemonTls(daemons);
  if (access.mode === 'jwt') await AccessTokens.load(access);
  const { assignmentKeyFile: file, otherAssignmentKeyFiles: otherFiles } = assignmentKeys;
  // Without a file, the start creates one.
  if (file !== undefined) await AssignmentKeys.load({ file, otherFiles, dataDir: store.dataDir });
}

/**
 * Reads the certificates of a media daemon's settings, as its start does.
 *
 * @throws Error that names the file at fault.
 */
export async function checkMediaDaemonFiles({ http, grpc }: DaemonConfig): Promise<void> {
  await checkCertificate(http.tlsCertFile, http.tlsKeyFile);
  await checkCertificate(grpc.grpcTlsCertFile, grpc.grpcTlsKeyFile);
}

async function checkCertificate(certFile: string | undefined, keyFile: string | undefined): Promise<void> {
  if (certFile !== undefined && keyFile !== undefined) await readCertificate({ certFile, keyFile });
}
