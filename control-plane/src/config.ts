import { iceServerSettings, missingTurnSetting } from '@mediasoup-server/server-kit/iceServers';
import { logLevels } from '@mediasoup-server/server-kit/logger';
import {
  address,
  dataFolder,
  file,
  flag,
  folder,
  integer,
  isLoopback,
  list,
  networks,
  port,
  readableByOthers,
  readSettings,
  SettingsError,
  variableName,
} from '@mediasoup-server/server-kit/settings';
import { z } from 'zod';

/** What the names of the control plane's environment variables start with. */
export const PREFIX = 'CONTROL_PLANE_';

/** As good as no limit. */
const MAX_PER_MINUTE = 1_000_000_000;

/**
 * The demo runs its own scripts and styles alone, and is in no frame. It connects to media daemons wherever they are, and under
 * `make run` to a port of this machine that breaks things on purpose.
 */
const DEMO_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'self' ws: wss: http://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Every setting; `listenPort` is read from `CONTROL_PLANE_LISTEN_PORT`. */
export const settingsSchema = z.object({
  listenIp: address().default('127.0.0.1').meta({ description: 'The IP address that the HTTP API listens on.' }),
  listenPort: port().default(3000).meta({ description: 'The port of the HTTP API; 0 lets the system choose.' }),
  tlsCertFile: file()
    .optional()
    .meta({ description: 'PEM file with the TLS certificate chain. Without it the API speaks plain HTTP.' }),
  tlsKeyFile: file().optional().meta({ description: "PEM file with the TLS certificate's private key." }),
  metricsIp: address().default('127.0.0.1').meta({ description: 'The IP address that `GET /metrics` listens on.' }),
  metricsPort: port().default(9090).meta({ description: 'The port of `GET /metrics`; 0 lets the system choose.' }),
  mode: z.enum(['open', 'jwt'], 'is neither "open" nor "jwt"').default('open').meta({
    description:
      'Who may ask for an assignment. `open`: everybody, without a token. `jwt`: whoever shows an access token.',
  }),
  accessTokenSecret: z
    .string()
    .min(32, 'is shorter than 32 characters')
    .optional()
    .meta({ description: 'Mode `jwt`: the secret that applications sign access tokens with (HS256).', secret: true }),
  accessTokenKeyFile: file().optional().meta({
    description: 'Mode `jwt`, instead: PEM file with their public key: Ed25519, P-256 (ES256) or RSA (RS256).',
  }),
  accessTokenJwksUrl: z
    .url({ protocol: /^https?$/, error: 'is not an http or https URL' })
    .optional()
    .meta({
      description: 'Mode `jwt`, instead: where their public keys are, as a JSON Web Key Set.',
    }),
  daemonTls: flag().default(false).meta({ description: "Whether media daemons' gRPC servers are reached over TLS." }),
  daemonCaFile: file().optional().meta({
    description:
      'PEM file with the certificate authorities that their certificates are of; the public ones by default.',
  }),
  daemonClientCertFile: file()
    .optional()
    .meta({ description: 'PEM file with the certificate that the control plane shows them, if it does.' }),
  daemonClientKeyFile: file().optional().meta({ description: "PEM file with that certificate's private key." }),
  allowOpenBeyondLoopback: flag()
    .default(false)
    .meta({ description: 'Lets mode `open` listen on an address that other machines reach.' }),
  behindTlsProxy: flag().default(false).meta({
    description:
      'Lets the API speak plain HTTP on an address that other machines reach, since a proxy in front of it speaks TLS.',
  }),
  allowPlainDaemonsBeyondLoopback: flag().default(false).meta({
    description: 'Commands daemons on other machines in plain text, which shows the tokens of commands to the network.',
  }),
  allowReadableKeyFiles: flag()
    .default(false)
    .meta({ description: 'Private keys are taken from files that other users of the machine can read.' }),
  store: z
    .enum(['embedded', 'dynamodb'], 'is neither "embedded" nor "dynamodb"')
    .default('embedded')
    .meta({ description: 'Where the tables are: `embedded` in this process, for one machine alone, or `dynamodb`.' }),
  dynamodbEndpoint: z
    .url({ protocol: /^https?$/, error: 'is not an http or https URL' })
    .optional()
    .meta({
      description: 'The URL of a store that is compatible with DynamoDB. Without it, the one of the AWS region.',
    }),
  awsRegion: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'is no name of a region')
    .default('us-east-1')
    .meta({ description: 'The AWS region of the tables.' }),
  tablePrefix: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,200}$/, 'has other characters than letters, digits, "_", "." and "-"')
    .default('mediasoup-server-')
    .meta({ description: "What the tables' names start with." }),
  dataDir: dataFolder()
    .default('data/control-plane')
    .meta({ description: 'The folder of the embedded store and of a generated assignment key.' }),
  daemonKey: z
    .string('is not set. Choose a random key and give it to the control plane and to every daemon.')
    .min(16, 'is shorter than 16 characters')
    .meta({
      description: 'The key that every media daemon registers with: 16 characters or more. Required.',
      secret: true,
    }),
  assignmentKeyFile: file().optional().meta({
    description:
      'PEM file (PKCS 8) with the Ed25519 key that signs assignment tokens. Without it, one is made in the data folder.',
  }),
  otherAssignmentKeyFiles: list().pipe(z.array(file())).default([]).meta({
    description: 'Keys that are published beside it, separated by commas: the next one, and the one before.',
  }),
  assignmentKeySecret: z.string().regex(/^arn:/, 'is no ARN').optional().meta({
    description:
      'Instead of files: the ARN of a secret of AWS Secrets Manager with the assignment keys and when each begins to sign. It is read again every five minutes.',
  }),
  staticDir: folder().optional().meta({ description: 'A folder with a web page to serve at `/`.' }),
  staticSecurityPolicy: z
    .string()
    .regex(/^[ -~]+$/, 'has other characters than those of an HTTP header')
    .default(DEMO_POLICY)
    .meta({ description: 'The `Content-Security-Policy` of that page; the default is for the demo.' }),
  ...iceServerSettings,
  heartbeatIntervalMs: integer(100, 60_000)
    .default(2000)
    .meta({ description: 'How often daemons send a heartbeat, in milliseconds.' }),
  suspectAfterMs: integer(200, 600_000)
    .default(6000)
    .meta({ description: 'How old the last heartbeat of a daemon is when it gets no new rooms, in milliseconds.' }),
  corsOrigins: list()
    .refine((origins) => origins.every(isOrigin), 'names what is no origin, such as https://app.example.com')
    .default(['*'])
    .meta({ description: 'The origins of web pages that may use the API, separated by commas; `*` stands for all.' }),
  assignmentsPerMinute: integer(1, MAX_PER_MINUTE).default(1000).meta({
    description: 'Assignments a minute that one IP address may ask for: all of an office that is behind one.',
  }),
  requestsPerMinute: integer(1, MAX_PER_MINUTE).default(3000).meta({
    description:
      "Requests a minute that one IP address may send, assignments among them, daemons' and health checks not.",
  }),
  wrongKeysPerMinute: integer(1, MAX_PER_MINUTE).default(600).meta({
    description:
      "Wrong daemons' keys and secrets a minute of one IP address, beyond which further ones are not looked at.",
  }),
  maxIpConnections: integer(1, 1_000_000).default(2000).meta({
    description:
      'The most open TCP connections of one IP address: all users behind one NAT. Further ones are closed before a request is read.',
  }),
  trustedProxies: networks().default([]).meta({
    description:
      'The addresses and networks of proxies whose `X-Forwarded-For` names the client, separated by commas. Their connections are not limited.',
  }),
  cloudwatchNamespace: z
    .string()
    .regex(/^[\w./#:-]{1,255}$/, 'is no namespace of CloudWatch')
    .optional()
    .meta({
      description:
        "The CloudWatch namespace of the metric `DaemonLoad`, which is logged of daemons' heartbeats in the embedded metric format. Without it, it is not.",
    }),
  logLevel: z
    .enum(logLevels, `is none of ${logLevels.join(', ')}`)
    .default('info')
    .meta({ description: 'The least severe level that is logged.' }),
});

export type Config = Readonly<z.infer<typeof settingsSchema>>;

/**
 * Reads the settings from environment variables and checks them against each other.
 *
 * @throws SettingsError that names every wrong variable.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const config = readSettings(settingsSchema, PREFIX, environment);
  const name = (setting: keyof Config) => variableName(PREFIX, setting);
  const wrong: string[] = [];
  if ((config.tlsCertFile === undefined) !== (config.tlsKeyFile === undefined)) {
    wrong.push(`${name('tlsCertFile')} and ${name('tlsKeyFile')} are set both or not at all.`);
  }
  if ((config.daemonClientCertFile === undefined) !== (config.daemonClientKeyFile === undefined)) {
    wrong.push(`${name('daemonClientCertFile')} and ${name('daemonClientKeyFile')} are set both or not at all.`);
  }
  if (!config.daemonTls && (config.daemonCaFile ?? config.daemonClientCertFile) !== undefined) {
    wrong.push(`${name('daemonTls')} is not "true", and there are certificates for it.`);
  }
  if (config.mode === 'open' && !config.allowOpenBeyondLoopback && !isLoopback(config.listenIp)) {
    wrong.push(
      `${name('listenIp')}: mode "open" lets everybody in, so it listens on loopback only` +
        ` unless ${name('allowOpenBeyondLoopback')} is "true".`,
    );
  }
  if (!isLoopback(config.listenIp)) {
    if (config.tlsKeyFile === undefined && !config.behindTlsProxy) {
      wrong.push(
        `${name('listenIp')}: other machines reach it, and plain HTTP shows them tokens and keys. Set ${name('tlsCertFile')}` +
          ` and ${name('tlsKeyFile')}, or ${name('behindTlsProxy')}=true if a proxy in front speaks TLS.`,
      );
    }
    if (!config.daemonTls && !config.allowPlainDaemonsBeyondLoopback) {
      wrong.push(
        `${name('daemonTls')}: daemons on other machines are commanded in plain text. Set it to "true", or` +
          ` ${name('allowPlainDaemonsBeyondLoopback')}=true if that is meant.`,
      );
    }
  }
  if (!config.allowReadableKeyFiles) {
    const { tlsKeyFile, daemonClientKeyFile, assignmentKeyFile, otherAssignmentKeyFiles } = config;
    const keyFiles = Object.entries({ tlsKeyFile, daemonClientKeyFile, assignmentKeyFile, otherAssignmentKeyFiles });
    for (const [setting, paths] of keyFiles) {
      for (const path of [paths ?? []].flat()) {
        const reason = readableByOthers(path);
        if (reason === undefined) continue;
        const allowed = `${name('allowReadableKeyFiles')}=true if that is meant`;
        wrong.push(`${name(setting as keyof Config)}: ${reason}, or set ${allowed}.`);
      }
    }
  }
  const accessKeys = [config.accessTokenSecret, config.accessTokenKeyFile, config.accessTokenJwksUrl];
  const names = `${name('accessTokenSecret')}, ${name('accessTokenKeyFile')} and ${name('accessTokenJwksUrl')}`;
  if (accessKeys.filter((key) => key !== undefined).length !== (config.mode === 'jwt' ? 1 : 0)) {
    wrong.push(`Of ${names} one is set in mode "jwt", and none in mode "open".`);
  }
  const jwksUrl = config.accessTokenJwksUrl && new URL(config.accessTokenJwksUrl);
  if (jwksUrl && jwksUrl.protocol !== 'https:' && !isLoopback(jwksUrl.hostname)) {
    wrong.push(`${name('accessTokenJwksUrl')}: keys are fetched by https, or from this machine.`);
  }
  if (config.mode === 'jwt' && config.corsOrigins.includes('*')) {
    wrong.push(`${name('corsOrigins')}: in mode "jwt" the origins of your web pages are listed; "*" is not taken.`);
  }
  if (config.assignmentKeySecret !== undefined) {
    const files = [config.assignmentKeyFile, ...config.otherAssignmentKeyFiles].filter((file) => file !== undefined);
    if (files.length > 0) wrong.push(`${name('assignmentKeySecret')} is set, and there are files of keys too.`);
  }
  if (config.store === 'embedded' && config.dynamodbEndpoint !== undefined) {
    wrong.push(`${name('dynamodbEndpoint')} is used only when ${name('store')} is "dynamodb".`);
  }
  if (config.suspectAfterMs <= config.heartbeatIntervalMs) {
    wrong.push(`${name('suspectAfterMs')} is not more than ${name('heartbeatIntervalMs')}.`);
  }
  const missing = missingTurnSetting(config);
  if (missing) wrong.push(`${name(missing.setting)}: ${missing.message}.`);
  if (wrong.length > 0) throw new SettingsError(wrong.join('\n'));
  return config;
}

const isOrigin = (text: string): boolean => text === '*' || (URL.canParse(text) && new URL(text).origin === text);
