import { missingTurnSetting } from '@mediasoup-server/server-kit/iceServers';
import { isLoopback, readableByOthers, type SettingTypes, variableName } from '@mediasoup-server/server-kit/settings';
import { type DaemonConfig, PREFIX, type settingsSchema } from './settingsSchema.ts';

const name = (setting: keyof SettingTypes<typeof settingsSchema>): string => variableName(PREFIX, setting);

/** Checks settings against each other. @returns a line for each mistake, which names the variables. */
export const checkConfig = (config: DaemonConfig): string[] => [
  ...certificates(config),
  ...beyondLoopback(config),
  ...keyFiles(config),
  ...fleetAndMedia(config),
];

function* certificates({ http, grpc }: DaemonConfig): Generator<string> {
  if ((http.tlsCertFile === undefined) !== (http.tlsKeyFile === undefined))
    yield `${name('tlsCertFile')} and ${name('tlsKeyFile')}: set both or neither.`;
  if ((grpc.grpcTlsCertFile === undefined) !== (grpc.grpcTlsKeyFile === undefined))
    yield `${name('grpcTlsCertFile')} and ${name('grpcTlsKeyFile')}: set both or neither.`;
  if (grpc.grpcClientCaFile && !grpc.grpcTlsCertFile)
    yield `${name('grpcTlsCertFile')}: is missing; clients show their certificates over TLS.`;
}

/** Whatever is insecure on an address that other machines reach must be allowed by a setting. */
function* beyondLoopback({ http, access, grpc, fleet }: DaemonConfig): Generator<string> {
  if (access.mode === 'open' && !isLoopback(http.listenIp) && !access.allowOpenBeyondLoopback) {
    yield `${name('listenIp')}: other machines reach it, and mode "open" admits everybody.` +
      ` Set ${name('allowOpenBeyondLoopback')}=true to allow that.`;
  }
  const knowsCallers = grpc.grpcClientCaFile !== undefined || access.mode === 'jwt';
  const isSecure = grpc.grpcTlsCertFile !== undefined && knowsCallers;
  if (!isLoopback(grpc.grpcIp) && !isSecure && !grpc.allowPlainGrpcBeyondLoopback) {
    yield `${name('grpcIp')}: other machines reach it, and gRPC is plain text or obeys everybody. Set a certificate, and` +
      ` client certificates or mode "jwt", or ${name('allowPlainGrpcBeyondLoopback')}=true to allow that.`;
  }
  const controlPlane = fleet.controlPlaneUrl === undefined ? undefined : new URL(fleet.controlPlaneUrl);
  if (
    access.mode === 'jwt' &&
    controlPlane?.protocol === 'http:' &&
    !isLoopback(controlPlane.hostname) &&
    !fleet.allowPlainControlPlaneBeyondLoopback
  ) {
    yield `${name('controlPlaneUrl')}: it is another machine, and http:// shows the keys to the network. Use https://,` +
      ` or set ${name('allowPlainControlPlaneBeyondLoopback')}=true to allow that.`;
  }
}

function* keyFiles({ http, grpc, allowReadableKeyFiles }: DaemonConfig): Generator<string> {
  if (allowReadableKeyFiles) return;
  const files = { tlsKeyFile: http.tlsKeyFile, grpcTlsKeyFile: grpc.grpcTlsKeyFile };
  for (const [setting, path] of Object.entries(files)) {
    const reason = path === undefined ? undefined : readableByOthers(path);
    if (reason === undefined) continue;
    yield `${name(setting as keyof typeof files)}: ${reason}, or set ${name('allowReadableKeyFiles')}=true to allow that.`;
  }
}

function* fleetAndMedia({ access, fleet, rtc, ice }: DaemonConfig): Generator<string> {
  if (access.mode === 'jwt' && !fleet.controlPlaneUrl)
    yield `${name('controlPlaneUrl')}: is missing; in mode "jwt" the control plane admits peers.`;
  if (fleet.controlPlaneUrl && !fleet.daemonKey)
    yield `${name('daemonKey')}: is missing; registering at a control plane needs it.`;
  if (/^(0\.0\.0\.0|::)$/.test(rtc.rtcIp) && !rtc.rtcAnnouncedAddress)
    yield `${name('rtcAnnouncedAddress')}: is missing; clients cannot send media to ${rtc.rtcIp}.`;
  const turn = missingTurnSetting(ice);
  if (turn) yield `${name(turn.setting)}: ${turn.message}`;
}
