import { missingTurnSetting } from '@mediasoup-server/server-kit/iceServers';
import { isLoopback, readableByOthers, type SettingTypes, variableName } from '@mediasoup-server/server-kit/settings';
import { type Config, PREFIX, type settingsSchema } from './settingsSchema.ts';

const name = (setting: keyof SettingTypes<typeof settingsSchema>): string => variableName(PREFIX, setting);

/** Checks settings against each other. @returns a line for each mistake, which names the variables. */
export function checkConfig(config: Config): string[] {
  return [
    ...pairs(config),
    ...beyondLoopback(config),
    ...keyFiles(config),
    ...accessTokens(config.access),
    ...others(config),
  ];
}

function* pairs({ http, daemons }: Config): Generator<string> {
  if ((http.tlsCertFile === undefined) !== (http.tlsKeyFile === undefined)) {
    yield `${name('tlsCertFile')} and ${name('tlsKeyFile')}: set both or neither.`;
  }
  if ((daemons.daemonClientCertFile === undefined) !== (daemons.daemonClientKeyFile === undefined)) {
    yield `${name('daemonClientCertFile')} and ${name('daemonClientKeyFile')}: set both or neither.`;
  }
  if (!daemons.daemonTls && (daemons.daemonCaFile ?? daemons.daemonClientCertFile) !== undefined) {
    yield `${name('daemonTls')}: certificates for daemons are set, so it must be "true".`;
  }
}

/** Whatever is insecure on an address that other machines reach must be allowed by a setting. */
function* beyondLoopback({ http, access, daemons }: Config): Generator<string> {
  if (isLoopback(http.listenIp)) return;
  if (access.mode === 'open' && !access.allowOpenBeyondLoopback) {
    yield `${name('listenIp')}: other machines reach it, and mode "open" admits everybody.` +
      ` Set ${name('allowOpenBeyondLoopback')}=true to allow that.`;
  }
  if (http.tlsKeyFile === undefined && !http.behindTlsProxy) {
    yield `${name('listenIp')}: other machines reach it, and plain HTTP shows tokens and keys to the network.` +
      ` Set ${name('tlsCertFile')} and ${name('tlsKeyFile')}, or ${name('behindTlsProxy')}=true if a proxy in front speaks TLS.`;
  }
  if (!daemons.daemonTls && !daemons.allowPlainDaemonsBeyondLoopback) {
    yield `${name('daemonTls')}: daemons on other machines would get commands in plain text.` +
      ` Set it to "true", or ${name('allowPlainDaemonsBeyondLoopback')}=true to allow that.`;
  }
}

function* keyFiles({ http, daemons, assignmentKeys, allowReadableKeyFiles }: Config): Generator<string> {
  if (allowReadableKeyFiles) return;
  const { tlsKeyFile } = http;
  const { daemonClientKeyFile } = daemons;
  const { assignmentKeyFile, otherAssignmentKeyFiles } = assignmentKeys;
  const files = { tlsKeyFile, daemonClientKeyFile, assignmentKeyFile, otherAssignmentKeyFiles };
  for (const [setting, paths] of Object.entries(files)) {
    for (const path of [paths ?? []].flat()) {
      const reason = readableByOthers(path);
      if (reason === undefined) continue;
      yield `${name(setting as keyof typeof files)}: ${reason}, or set ${name('allowReadableKeyFiles')}=true to allow that.`;
    }
  }
}

function* accessTokens({
  mode,
  accessTokenSecret,
  accessTokenKeyFile,
  accessTokenJwksUrl,
}: Config['access']): Generator<string> {
  const keys = [accessTokenSecret, accessTokenKeyFile, accessTokenJwksUrl].filter((key) => key !== undefined);
  if (keys.length !== (mode === 'jwt' ? 1 : 0)) {
    const names = `${name('accessTokenSecret')}, ${name('accessTokenKeyFile')} and ${name('accessTokenJwksUrl')}`;
    yield `${names}: set exactly one in mode "jwt", and none in mode "open".`;
  }
  const url = accessTokenJwksUrl && new URL(accessTokenJwksUrl);
  if (url && url.protocol !== 'https:' && !isLoopback(url.hostname)) {
    yield `${name('accessTokenJwksUrl')}: must be an https URL, unless it is on this machine.`;
  }
}

function* others({ http, access, assignmentKeys, store, fleet, ice }: Config): Generator<string> {
  if (access.mode === 'jwt' && http.corsOrigins.includes('*')) {
    yield `${name('corsOrigins')}: mode "jwt" does not accept "*"; list the origins of your web pages.`;
  }
  const { assignmentKeySecret, assignmentKeyFile, otherAssignmentKeyFiles } = assignmentKeys;
  if (assignmentKeySecret !== undefined && (assignmentKeyFile !== undefined || otherAssignmentKeyFiles.length > 0)) {
    yield `${name('assignmentKeySecret')}: it is set, and so are key files; set only one of them.`;
  }
  if (store.store === 'embedded' && store.dynamodbEndpoint !== undefined) {
    yield `${name('dynamodbEndpoint')}: it has a use only with ${name('store')}=dynamodb.`;
  }
  if (fleet.suspectAfterMs <= fleet.heartbeatIntervalMs) {
    yield `${name('suspectAfterMs')}: must be more than ${name('heartbeatIntervalMs')}.`;
  }
  const missing = missingTurnSetting(ice);
  if (missing) yield `${name(missing.setting)}: ${missing.message}.`;
}
