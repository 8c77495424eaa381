import { iceServerSettings } from '@mediasoup-server/server-kit/iceServers';
import { logLevels } from '@mediasoup-server/server-kit/logger';
import {
  address,
  dataFolder,
  file,
  flag,
  folder,
  integer,
  list,
  networks,
  port,
  type Settings,
} from '@mediasoup-server/server-kit/settings';
import { z } from 'zod';

/** The prefix of the control plane's environment variables. */
export const PREFIX = 'CONTROL_PLANE_';

/** The greatest rate limit; in practice it limits nothing. */
const MAX_PER_MINUTE = 1_000_000_000;

/**
 * The policy of the demo page: only its own scripts and styles, in no frame. It connects to media daemons on any host, and
 * under `make run` to a port of this machine that causes failures on purpose.
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

const isOrigin = (text: string): boolean => text === '*' || (URL.canParse(text) && new URL(text).origin === text);

const http = z.object({
  listenIp: address().default('127.0.0.1').meta({ description: 'The IP address that the HTTP API listens on.' }),
  listenPort: port().default(3000).meta({ description: 'The port of the HTTP API; 0 lets the system choose.' }),
  tlsCertFile: file()
    .optional()
    .meta({ description: 'PEM file with the TLS certificate chain. Without it the API speaks plain HTTP.' }),
  tlsKeyFile: file().optional().meta({ description: "PEM file with the TLS certificate's private key." }),
  behindTlsProxy: flag().default(false).meta({
    description:
      'Allows plain HTTP on an address that other machines reach, because a proxy in front of the API speaks TLS.',
  }),
  trustedProxies: networks().default([]).meta({
    description:
      'The addresses and networks of proxies whose `X-Forwarded-For` names the client, separated by commas. Their connections are not limited.',
  }),
  corsOrigins: list()
    .refine(
      (origins) => origins.every(isOrigin),
      'contains a text that is not an origin, such as https://app.example.com',
    )
    .default(['*'])
    .meta({ description: 'The origins of web pages that may use the API, separated by commas; `*` allows all.' }),
  staticDir: folder().optional().meta({ description: 'A folder with a web page to serve at `/`.' }),
  staticSecurityPolicy: z
    .string()
    .regex(/^[ -~]+$/, 'has characters that an HTTP header cannot have')
    .default(DEMO_POLICY)
    .meta({ description: 'The `Content-Security-Policy` of that page; the default suits the demo.' }),
});

const metrics = z.object({
  metricsIp: address().default('127.0.0.1').meta({ description: 'The IP address that `GET /metrics` listens on.' }),
  metricsPort: port().default(9090).meta({ description: 'The port of `GET /metrics`; 0 lets the system choose.' }),
  cloudwatchNamespace: z
    .string()
    .regex(/^[\w./#:-]{1,255}$/, 'is not a CloudWatch namespace')
    .optional()
    .meta({
      description:
        'The CloudWatch namespace of the metric `DaemonLoad`. With it, heartbeats log the load of their daemons in the embedded metric format.',
    }),
});

const access = z.object({
  mode: z.enum(['open', 'jwt'], 'is neither "open" nor "jwt"').default('open').meta({
    description:
      'Who may ask for an assignment. `open`: everybody, without a token. `jwt`: peers with an access token.',
  }),
  allowOpenBeyondLoopback: flag()
    .default(false)
    .meta({ description: 'Allows mode `open` on an address that other machines reach.' }),
  accessTokenSecret: z
    .string()
    .min(32, 'is shorter than 32 characters')
    .optional()
    .meta({ description: 'Mode `jwt`: the secret that applications sign access tokens with (HS256).', secret: true }),
  accessTokenKeyFile: file().optional().meta({
    description:
      'Mode `jwt`, instead of the secret: PEM file with their public key: Ed25519, P-256 (ES256) or RSA (RS256).',
  }),
  accessTokenJwksUrl: z
    .url({ protocol: /^https?$/, error: 'is not an http or https URL' })
    .optional()
    .meta({
      description: 'Mode `jwt`, instead of the secret: the URL of their public keys, a JSON Web Key Set.',
    }),
});

const assignmentKeys = z.object({
  assignmentKeyFile: file().optional().meta({
    description:
      'PEM file (PKCS 8) with the Ed25519 key that signs assignment tokens. Without it, the first start creates one in the data folder.',
  }),
  otherAssignmentKeyFiles: list().pipe(z.array(file())).default([]).meta({
    description: 'Further keys that are published, separated by commas: the next one and the former one.',
  }),
  assignmentKeySecret: z.string().regex(/^arn:/, 'is not an ARN').optional().meta({
    description:
      'Instead of files: the ARN of a secret of AWS Secrets Manager with the assignment keys and when each begins to sign. It is read again every five minutes.',
  }),
});

const daemons = z.object({
  daemonTls: flag().default(false).meta({ description: "Whether media daemons' gRPC servers are reached over TLS." }),
  daemonCaFile: file().optional().meta({
    description: 'PEM file with the certificate authorities of their certificates; the public ones by default.',
  }),
  daemonClientCertFile: file()
    .optional()
    .meta({ description: "PEM file with the control plane's own client certificate, if daemons require one." }),
  daemonClientKeyFile: file().optional().meta({ description: "PEM file with that certificate's private key." }),
  allowPlainDaemonsBeyondLoopback: flag().default(false).meta({
    description:
      'Allows plain-text commands to daemons on other machines, which shows the command tokens to the network.',
  }),
});

const store = z.object({
  store: z
    .enum(['embedded', 'dynamodb'], 'is neither "embedded" nor "dynamodb"')
    .default('embedded')
    .meta({ description: 'Where the tables are: `embedded` in this process, for a single machine, or `dynamodb`.' }),
  dynamodbEndpoint: z
    .url({ protocol: /^https?$/, error: 'is not an http or https URL' })
    .optional()
    .meta({
      description: 'The URL of a store that is compatible with DynamoDB; DynamoDB of the AWS region by default.',
    }),
  awsRegion: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'is not the name of a region')
    .default('us-east-1')
    .meta({ description: 'The AWS region of the tables.' }),
  tablePrefix: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,200}$/, 'has characters other than letters, digits, "_", "." and "-"')
    .default('mediasoup-server-')
    .meta({ description: "The prefix of the tables' names." }),
  dataDir: dataFolder()
    .default('data/control-plane')
    .meta({ description: 'The folder of the embedded store and of a generated assignment key.' }),
});

const fleet = z.object({
  daemonKey: z
    .string('is not set. Choose a random key and give it to the control plane and to every daemon.')
    .min(16, 'is shorter than 16 characters')
    .meta({
      description: 'The key that every media daemon registers with: 16 characters or more. Required.',
      secret: true,
    }),
  heartbeatIntervalMs: integer(100, 60_000)
    .default(2000)
    .meta({ description: 'The interval of the heartbeats that daemons send, in milliseconds.' }),
  suspectAfterMs: integer(200, 600_000)
    .default(6000)
    .meta({ description: 'The age of the last heartbeat, in milliseconds, after which a daemon gets no new rooms.' }),
});

const limits = z.object({
  assignmentsPerMinute: integer(1, MAX_PER_MINUTE).default(1000).meta({
    description: 'The assignments a minute that one IP address may ask for, such as an office behind one NAT.',
  }),
  requestsPerMinute: integer(1, MAX_PER_MINUTE).default(3000).meta({
    description:
      'The requests a minute that one IP address may send. Assignments count too; requests of daemons and health checks do not.',
  }),
  wrongKeysPerMinute: integer(1, MAX_PER_MINUTE).default(600).meta({
    description:
      'The wrong daemon keys and secrets a minute from one IP address. Further ones are refused without a look at the tables.',
  }),
  maxIpConnections: integer(1, 1_000_000).default(2000).meta({
    description:
      'The most open TCP connections of one IP address: all users behind one NAT. Further ones are closed before a request is read.',
  }),
});

/** Every setting, in groups. `http.listenPort` is read from `CONTROL_PLANE_LISTEN_PORT`. */
export const settingsSchema = z.object({
  http,
  metrics,
  access,
  assignmentKeys,
  daemons,
  store,
  fleet,
  ice: z.object(iceServerSettings),
  limits,
  allowReadableKeyFiles: flag()
    .default(false)
    .meta({ description: 'Accepts private key files that other users of the machine can read.' }),
  logLevel: z
    .enum(logLevels, `is none of ${logLevels.join(', ')}`)
    .default('info')
    .meta({ description: 'The least severe level that is logged.' }),
});

export type Config = Settings<typeof settingsSchema>;
