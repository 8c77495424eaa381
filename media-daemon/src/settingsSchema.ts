import { availableParallelism, hostname } from 'node:os';
import { idSchema } from '@mediasoup-server/proto/ids';
import { iceServerSettings } from '@mediasoup-server/server-kit/iceServers';
import { logLevels } from '@mediasoup-server/server-kit/logger';
import { address, file, flag, integer, networks, port, type Settings } from '@mediasoup-server/server-kit/settings';
import { z } from 'zod';

/** The prefix of the daemon's environment variables. */
export const PREFIX = 'MEDIA_DAEMON_';

const describe = <T extends z.ZodType>(type: T, description: string): T => type.meta({ description });

/** A host name or an IP address, and the same with a port, where IPv6 stands in brackets. */
const HOST = /^([\w.-]+|[\da-f:.]+)$/i;
const HOST_AND_PORT = /^([\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i;

/** The HTTP and WebSocket server. */
const http = z.object({
  listenIp: describe(address().default('127.0.0.1'), 'The address of the HTTP and WebSocket server.'),
  listenPort: describe(port().default(4443), 'Its port; 0 lets the system choose.'),
  tlsCertFile: describe(
    file().optional(),
    'PEM certificate chain. With it and the key the server speaks HTTPS and WSS; it is read again when it changes.',
  ),
  tlsKeyFile: describe(file().optional(), 'PEM private key of the certificate.'),
  certificatePollMs: describe(
    integer(10, 3_600_000).default(60_000),
    'Milliseconds between looks at the certificate files.',
  ),
  publicUrl: describe(
    z.url({ protocol: /^wss?$/ }).optional(),
    'Where frontends reach the WebSocket server, as `wss://host:port`; made of the listen address by default.',
  ),
  trustedProxies: describe(
    networks().default([]),
    'The addresses and networks of proxies whose `X-Forwarded-For` names the client, separated by commas. Their connections are not limited.',
  ),
  maxIpConnections: describe(
    integer(1, 1_000_000).default(1500),
    'The most open TCP connections of one IP address: all users behind one NAT. Further ones are closed before a request is read.',
  ),
});

/** Who may connect. */
const access = z.object({
  mode: describe(
    z.enum(['open', 'jwt']).default('open'),
    'Who may connect. `open`: anybody, without a token. `jwt`: whoever has an assignment of the control plane.',
  ),
  allowOpenBeyondLoopback: describe(
    flag().default(false),
    'Mode `open` listens on an address that other machines reach only when this is `true`.',
  ),
});

/** The gRPC server. */
const grpc = z.object({
  grpcIp: describe(
    address().default('127.0.0.1'),
    'The address of the gRPC server. Beyond loopback it speaks TLS, and knows who commands, unless the next setting allows more.',
  ),
  grpcPort: describe(port().default(50_051), 'The port of the gRPC server; 0 lets the system choose.'),
  allowPlainGrpcBeyondLoopback: describe(
    flag().default(false),
    'gRPC in plain text, or to whoever asks, on an address that other machines reach.',
  ),
  grpcTlsCertFile: describe(
    file().optional(),
    'PEM certificate chain of the gRPC server, which speaks TLS with it; it is read again when it changes.',
  ),
  grpcTlsKeyFile: describe(file().optional(), 'PEM private key of that certificate.'),
  grpcClientCaFile: describe(
    file().optional(),
    'PEM certificate authorities: whoever shows a certificate of theirs may command, nobody else may connect. Without it mode `jwt` asks for command tokens.',
  ),
  grpcAddress: describe(
    z.string().regex(HOST_AND_PORT, 'is not `host:port`').optional(),
    'Where the control plane reaches the gRPC server, as `host:port`; made of the listen address by default.',
  ),
  grpcMaxIpConnections: describe(
    integer(1, 1_000_000).default(1500),
    'The most open TCP connections of one IP address to the gRPC server: all control planes and backends behind one NAT, each of which needs one. Further ones are closed before anything is read.',
  ),
  eventBufferBytes: describe(
    integer(0, 1_073_741_824).default(16_777_216),
    'Bytes of events that are remembered for gRPC watchers who come back; one event takes about 120.',
  ),
});

const metrics = z.object({
  metricsIp: describe(address().default('127.0.0.1'), 'The address of the Prometheus metrics.'),
  metricsPort: describe(port().default(9091), 'The port of the Prometheus metrics; 0 lets the system choose.'),
  mediaStatsIntervalMs: describe(
    integer(100, 3_600_000).default(20_000),
    'Milliseconds in which each stream is asked once for the statistics of the metrics; longer where it would be more than 50 a second.',
  ),
});

/** The mediasoup workers and their addresses. */
const rtc = z.object({
  workers: integer(1, 256)
    .default(availableParallelism())
    .meta({ description: 'How many mediasoup workers run.', shownDefault: 'one a core' }),
  workerBin: describe(
    file('run').optional(),
    'The mediasoup-worker binary, where it is not the one that `MEDIASOUP_WORKER_BIN` names.',
  ),
  workerTimeoutMs: describe(
    integer(10, 600_000).default(5000),
    'Milliseconds after which a media worker that does not answer is killed and replaced.',
  ),
  rtcIp: describe(address().default('127.0.0.1'), 'The address that media is received on.'),
  rtcAnnouncedAddress: describe(
    z.string().regex(HOST, 'is neither a host name nor an IP address').optional(),
    'The address or host name that clients are told to send media to, where it differs.',
  ),
  rtcPort: describe(
    port().default(40_000),
    "The first worker's port, UDP and TCP; each further worker takes the next. 0 lets the system choose.",
  ),
  rtcBatch: describe(
    z.enum(['on', 'off']).default('on'),
    'Whether a media worker sends in one call what a turn of its loop has for a viewer. `off`: each packet in a call of its own.',
  ),
  saturatedCpuPercent: describe(
    integer(1, 100).default(80),
    'Percent of a core from which on a media worker is saturated: new rooms and further peers of its rooms go to others.',
  ),
  saturatedConsumers: describe(
    integer(0, 100_000).default(500),
    'Consumers from which on it is saturated too. 0 spreads each room over all workers.',
  ),
});

/** The control plane, and the place of this daemon in its fleet. */
const fleet = z.object({
  controlPlaneUrl: describe(
    z.url({ protocol: /^https?$/ }).optional(),
    'The control plane. Without it the daemon serves alone.',
  ),
  allowPlainControlPlaneBeyondLoopback: describe(
    flag().default(false),
    'In mode `jwt` a control plane on another machine is asked over plain `http://`, which shows the keys of the daemon to the network.',
  ),
  daemonKey: z
    .string()
    .min(16, 'is shorter than 16 characters')
    .optional()
    .meta({ description: 'The key that all daemons share to register at the control plane.', secret: true }),
  region: describe(idSchema.default('local'), 'Where the daemon is, for placement.'),
  zone: describe(idSchema.default('local'), 'The failure domain in the region.'),
  maxPeers: describe(integer(1, 1_000_000).default(1000), 'The most peers that the daemon takes.'),
  maxNetworkBitrate: describe(
    integer(1_000_000, 1_000_000_000_000).default(1_000_000_000),
    "Bits a second that the machine's network carries in one direction; its use counts for placement.",
  ),
  roomRenewalMs: describe(
    integer(100, 43_200_000).default(43_200_000),
    "Milliseconds after which a room's record at the control plane, which lasts a day, is renewed.",
  ),
  drainDeadlineMs: describe(
    integer(0, 86_400_000).default(600_000),
    'Milliseconds that peers have to move away after SIGTERM before they are cut off.',
  ),
});

/** Sockets and sessions. */
const signaling = z.object({
  joinTimeoutMs: describe(integer(1, 3_600_000).default(10_000), 'Milliseconds in which a new connection must join.'),
  resumeGraceMs: describe(
    integer(0, 3_600_000).default(15_000),
    'Milliseconds that a peer whose socket was lost stays in its room, with its media, and may resume.',
  ),
  pingIntervalMs: describe(
    integer(10, 600_000).default(10_000),
    'Milliseconds between WebSocket pings. A socket that leaves one unanswered is cut.',
  ),
  maxFrameBytes: describe(integer(1024, 16_777_216).default(262_144), 'The largest WebSocket message taken.'),
  maxBufferedBytes: describe(
    integer(1024, 1_073_741_824).default(4_194_304),
    'Bytes that may wait for a slow reader before its socket is cut.',
  ),
  messagesPerSecond: describe(
    integer(1, 1_000_000).default(100),
    'Messages a second that a socket may send for long; each 4 KiB of one count as one more.',
  ),
  messageBurst: describe(
    integer(1, 1_000_000).default(1000),
    'Messages that a socket may send at once. Beyond it requests are answered with 429.',
  ),
  maxIpSockets: describe(integer(1, 1_000_000).default(2000), 'The most open sockets of one IP address.'),
  ipSocketsPerSecond: describe(
    integer(1, 1_000_000).default(50),
    'Sockets a second that one IP address may open for long.',
  ),
  ipSocketBurst: describe(integer(1, 1_000_000).default(500), 'Sockets that one IP address may open at once.'),
});

const rooms = z.object({
  unjoinedRoomMs: describe(
    integer(1, 3_600_000).default(90_000),
    'Milliseconds after which a room that nobody joined closes.',
  ),
  moveDeadlineMs: describe(
    integer(0, 3_600_000).default(10_000),
    'Milliseconds that peers have to follow a room that lives on another daemon by now: most move within two seconds, and until then they do not see those who are there.',
  ),
});

/** Of a room and each of its peers. */
const limits = z.object({
  maxRoomPeers: describe(integer(1, 100_000).default(1000), 'The most peers of a room.'),
  maxPeerProducers: describe(integer(1, 1000).default(20), 'The most producers of a peer.'),
  maxPeerConsumers: describe(integer(1, 100_000).default(2000), 'The most consumers of a peer.'),
  maxPeerDataProducers: describe(integer(1, 1000).default(20), 'The most data producers of a peer.'),
  maxPeerDataConsumers: describe(integer(1, 65_535).default(2000), 'The most data consumers of a peer.'),
  maxPeerIncomingBitrate: describe(
    integer(100_000, 1_000_000_000).default(8_000_000),
    'Bits a second that each peer is asked to send at most, over all its tracks.',
  ),
  announcementsPerSecond: describe(
    integer(1, 1_000_000).default(10),
    'Announcements a second that a peer may make for long: that it joins, sends something, resumes it, or has other application data. Each KiB of application data counts as one more.',
  ),
  announcementBurst: describe(
    integer(1, 1_000_000).default(100),
    'Announcements that a peer may make at once. Beyond it they are refused with 429.',
  ),
  roomUpdatesPerSecond: describe(
    integer(1, 1_000_000).default(100),
    'Changes of application data a second that all peers of a room may make together for long. Each KiB counts as one more.',
  ),
  roomUpdateBurst: describe(
    integer(1, 1_000_000).default(1000),
    'Changes of application data that all peers of a room may make together at once. Beyond it they are refused with 429.',
  ),
  messageBytesPerSecond: describe(
    integer(1024, 1_073_741_824).default(393_216),
    'Bytes of messages to others that a peer may send a second for long; each message counts 256 more.',
  ),
  messageBytesBurst: describe(
    integer(1024, 1_073_741_824).default(262_144),
    'Bytes of messages to others that a peer may send at once. Beyond it they are refused with 429.',
  ),
});

/** Every setting of the daemon, in groups: a part of the daemon is given its group. */
export const settingsSchema = z.object({
  daemonId: idSchema
    .default(hostname())
    .meta({ description: 'The name of this daemon, unique in the fleet.', shownDefault: 'the host name' }),
  http,
  access,
  grpc,
  metrics,
  rtc,
  fleet,
  ice: z.object(iceServerSettings),
  signaling,
  rooms,
  limits,
  allowReadableKeyFiles: describe(
    flag().default(false),
    'Private keys are taken from files that other users of the machine can read.',
  ),
  logLevel: describe(z.enum(logLevels).default('info'), 'The least level that is logged.'),
});

export type DaemonConfig = Settings<typeof settingsSchema>;
