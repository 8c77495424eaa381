import { availableParallelism, hostname } from 'node:os';
import { idSchema } from '@mediasoup-server/proto/ids';
import { iceServerSettings } from '@mediasoup-server/server-kit/iceServers';
import { logLevels } from '@mediasoup-server/server-kit/logger';
import { address, file, flag, integer, networks, port, type Settings } from '@mediasoup-server/server-kit/settings';
import { z } from 'zod';

/** The prefix of the daemon's environment variables. */
export const PREFIX = 'MEDIA_DAEMON_';

const describe = <T extends z.ZodType>(type: T, description: string): T => type.meta({ description });

/** A host name or an IP address; and the same with a port, IPv6 in brackets. */
const HOST = /^([\w.-]+|[\da-f:.]+)$/i;
const HOST_AND_PORT = /^([\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i;

/** The HTTP and WebSocket server. */
const http = z.object({
  listenIp: describe(address().default('127.0.0.1'), 'The address of the HTTP and WebSocket server.'),
  listenPort: describe(port().default(4443), 'Its port; 0 lets the system choose.'),
  tlsCertFile: describe(
    file().optional(),
    'PEM certificate chain. With it and the key the server speaks HTTPS and WSS. It is reloaded when the file changes.',
  ),
  tlsKeyFile: describe(file().optional(), 'PEM private key of the certificate.'),
  certificatePollMs: describe(
    integer(10, 3_600_000).default(60_000),
    'Milliseconds between checks whether the certificate files have changed.',
  ),
  publicUrl: describe(
    z.url({ protocol: /^wss?$/ }).optional(),
    'The URL at which frontends reach the WebSocket server, `wss://host:port`. Default: the listen address.',
  ),
  trustedProxies: describe(
    networks().default([]),
    'The addresses and networks of proxies whose `X-Forwarded-For` names the client, separated by commas. Their connections are not limited.',
  ),
  maxIpConnections: describe(
    integer(1, 1_000_000).default(1500),
    'The maximum of open TCP connections of one IP address, which is all users behind one NAT. Further ones are closed before a request is read.',
  ),
});

/** Who may connect. */
const access = z.object({
  mode: describe(
    z.enum(['open', 'jwt']).default('open'),
    'Who may connect. `open`: anybody, without a token. `jwt`: peers with an assignment token of the control plane.',
  ),
  allowOpenBeyondLoopback: describe(
    flag().default(false),
    'Allows mode `open` on an address that other machines can reach.',
  ),
});

/** The gRPC server. */
const grpc = z.object({
  grpcIp: describe(
    address().default('127.0.0.1'),
    'The address of the gRPC server. Beyond loopback it requires TLS and authenticated callers, unless `MEDIA_DAEMON_ALLOW_PLAIN_GRPC_BEYOND_LOOPBACK` is set.',
  ),
  grpcPort: describe(port().default(50_051), 'The port of the gRPC server; 0 lets the system choose.'),
  allowPlainGrpcBeyondLoopback: describe(
    flag().default(false),
    'Allows gRPC in plain text, or for unauthenticated callers, on an address that other machines can reach.',
  ),
  grpcTlsCertFile: describe(
    file().optional(),
    'PEM certificate chain of the gRPC server. With it the server speaks TLS. It is reloaded when the file changes.',
  ),
  grpcTlsKeyFile: describe(file().optional(), 'PEM private key of that certificate.'),
  grpcClientCaFile: describe(
    file().optional(),
    'PEM certificate authorities of clients. With it only clients with a certificate of these authorities may connect and command. Without it mode `jwt` requires command tokens.',
  ),
  grpcAddress: describe(
    z.string().regex(HOST_AND_PORT, 'is not `host:port`').optional(),
    'The `host:port` at which the control plane reaches the gRPC server. Default: the listen address.',
  ),
  grpcMaxIpConnections: describe(
    integer(1, 1_000_000).default(1500),
    'The maximum of open TCP connections of one IP address to the gRPC server, which is all control planes and backends behind one NAT. Each of them needs one. Further ones are closed before anything is read.',
  ),
  eventBufferBytes: describe(
    integer(0, 1_073_741_824).default(16_777_216),
    'Bytes of past events that are kept for gRPC watchers that reconnect. An event takes about 120.',
  ),
});

const metrics = z.object({
  metricsIp: describe(address().default('127.0.0.1'), 'The address of the Prometheus metrics.'),
  metricsPort: describe(port().default(9091), 'The port of the Prometheus metrics; 0 lets the system choose.'),
  mediaStatsIntervalMs: describe(
    integer(100, 3_600_000).default(20_000),
    'Milliseconds in which the statistics of each stream are read once for the metrics. It takes longer when there would be more than 50 reads a second.',
  ),
});

/** The mediasoup workers and their addresses. */
const rtc = z.object({
  workers: integer(1, 256)
    .default(availableParallelism())
    .meta({ description: 'The number of mediasoup workers.', shownDefault: 'one a core' }),
  workerBin: describe(
    file('run').optional(),
    'The mediasoup-worker binary. Default: the one that `MEDIASOUP_WORKER_BIN` names.',
  ),
  workerTimeoutMs: describe(
    integer(10, 600_000).default(5000),
    'Milliseconds after which a media worker that does not answer is killed and replaced.',
  ),
  rtcIp: describe(address().default('127.0.0.1'), 'The address on which media is received.'),
  rtcAnnouncedAddress: describe(
    z.string().regex(HOST, 'is neither a host name nor an IP address').optional(),
    'The address or host name to which clients send media, if it differs from the one above.',
  ),
  rtcPort: describe(
    port().default(40_000),
    "The first worker's port, UDP and TCP; each further worker takes the next. 0 lets the system choose.",
  ),
  rtcBatch: describe(
    z.enum(['on', 'off']).default('on'),
    'Whether a media worker sends all packets that one turn of its event loop has for a viewer in one call. `off`: one call a packet.',
  ),
  saturatedCpuPercent: describe(
    integer(1, 100).default(80),
    'Percent of a core above which a media worker is saturated: new rooms and further peers of its rooms go to other workers.',
  ),
  saturatedConsumers: describe(
    integer(0, 100_000).default(500),
    'Consumers above which a media worker is saturated as well. 0 spreads each room over all workers.',
  ),
});

/** The control plane, and this daemon in its fleet. */
const fleet = z.object({
  controlPlaneUrl: describe(
    z.url({ protocol: /^https?$/ }).optional(),
    'The URL of the control plane. Without it the daemon works alone.',
  ),
  allowPlainControlPlaneBeyondLoopback: describe(
    flag().default(false),
    'Allows plain `http://` to a control plane on another machine in mode `jwt`, which exposes the keys of the daemon to the network.',
  ),
  daemonKey: z.string().min(16, 'is shorter than 16 characters').optional().meta({
    description:
      'The key with which the daemon registers at the control plane: the one that all daemons share, or the one of this daemon alone.',
    secret: true,
  }),
  region: describe(idSchema.default('local'), 'The region of the daemon, for placement.'),
  zone: describe(idSchema.default('local'), 'The failure domain in the region.'),
  maxPeers: describe(integer(1, 1_000_000).default(1000), 'The maximum number of peers on the daemon.'),
  maxNetworkBitrate: describe(
    integer(1_000_000, 1_000_000_000_000).default(1_000_000_000),
    "Bits a second that the machine's network carries in one direction. Its use counts for placement.",
  ),
  roomRenewalMs: describe(
    integer(100, 43_200_000).default(43_200_000),
    "Milliseconds after which the daemon renews a room's record at the control plane. A record expires after a day.",
  ),
  drainDeadlineMs: describe(
    integer(0, 86_400_000).default(600_000),
    'Milliseconds that peers have to move to another daemon after SIGTERM. Then they are disconnected.',
  ),
});

/** Sockets and sessions. */
const signaling = z.object({
  joinTimeoutMs: describe(
    integer(1, 3_600_000).default(10_000),
    'Milliseconds within which a new connection must join.',
  ),
  resumeGraceMs: describe(
    integer(0, 3_600_000).default(15_000),
    'Milliseconds that a peer stays in its room, with its media, after its socket was lost. It can resume its session meanwhile.',
  ),
  pingIntervalMs: describe(
    integer(10, 600_000).default(10_000),
    'Milliseconds between WebSocket pings. A socket that does not answer one is closed.',
  ),
  maxFrameBytes: describe(integer(1024, 16_777_216).default(262_144), 'The maximum size of a WebSocket message.'),
  maxBufferedBytes: describe(
    integer(1024, 1_073_741_824).default(4_194_304),
    'Bytes that may wait for a slow reader before its socket is closed.',
  ),
  messagesPerSecond: describe(
    integer(1, 1_000_000).default(100),
    'Messages a second that a socket may send on average. Each 4 KiB of a message count as one more.',
  ),
  messageBurst: describe(
    integer(1, 1_000_000).default(1000),
    'Messages that a socket may send at once. Requests beyond it are refused with 429.',
  ),
  maxIpSockets: describe(integer(1, 1_000_000).default(2000), 'The maximum of open sockets of one IP address.'),
  ipSocketsPerSecond: describe(
    integer(1, 1_000_000).default(50),
    'Sockets a second that one IP address may open on average.',
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
    'Milliseconds that peers have to follow a room that moved to another daemon. Most move within two seconds. Until then they do not see the peers there.',
  ),
});

/** Limits of a room and of each of its peers. */
const limits = z.object({
  maxRoomPeers: describe(integer(1, 100_000).default(1000), 'The maximum of peers in a room.'),
  maxPeerProducers: describe(integer(1, 1000).default(20), 'The maximum of producers of a peer.'),
  maxPeerConsumers: describe(integer(1, 100_000).default(2000), 'The maximum of consumers of a peer.'),
  maxPeerDataProducers: describe(integer(1, 1000).default(20), 'The maximum of data producers of a peer.'),
  maxPeerDataConsumers: describe(integer(1, 65_535).default(2000), 'The maximum of data consumers of a peer.'),
  maxPeerIncomingBitrate: describe(
    integer(100_000, 1_000_000_000).default(8_000_000),
    'The maximum of bits a second that each peer should send over all its tracks.',
  ),
  announcementsPerSecond: describe(
    integer(1, 1_000_000).default(10),
    'Announcements a second that a peer may cause on average: by joining, producing, resuming a producer, or changing its application data. Each KiB of application data counts as one more.',
  ),
  announcementBurst: describe(
    integer(1, 1_000_000).default(100),
    'Announcements that a peer may cause at once. Requests beyond it are refused with 429.',
  ),
  roomUpdatesPerSecond: describe(
    integer(1, 1_000_000).default(100),
    'Changes of application data a second that all peers of a room together may make on average. Each KiB counts as one more. More than 1 KiB of a new peer or producer counts too.',
  ),
  roomUpdateBurst: describe(
    integer(1, 1_000_000).default(1000),
    'Changes of application data that all peers of a room together may make at once. Requests beyond it are refused with 429.',
  ),
  messageBytesPerSecond: describe(
    integer(1024, 1_073_741_824).default(393_216),
    'Bytes of messages to other peers that a peer may send a second on average. Each message counts 256 more.',
  ),
  messageBytesBurst: describe(
    integer(1024, 1_073_741_824).default(262_144),
    'Bytes of messages to other peers that a peer may send at once. Messages beyond it are refused with 429.',
  ),
});

/** All settings of the daemon, by group. Each part of the daemon gets its group. */
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
    'Allows private keys in files that other users of the machine can read.',
  ),
  logLevel: describe(z.enum(logLevels).default('info'), 'The lowest level that is logged.'),
});

export type DaemonConfig = Settings<typeof settingsSchema>;
