import {
  create,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { rtpCapabilitiesSchema } from '@mediasoup-server/proto/http';
import {
  ClaimRoomRequestSchema,
  ClaimRoomResponseSchema,
  HeartbeatRequestSchema,
  HeartbeatResponseSchema,
  RegisterRequestSchema,
  RegisterResponseSchema,
  ReportRoomsRequestSchema,
  ReportRoomsResponseSchema,
} from '@mediasoup-server/proto/registry';
import { HttpProblem, methodNotAllowed } from '@mediasoup-server/server-kit/problem';
import { isLoopback } from '@mediasoup-server/server-kit/settings';
import { type Response, Router } from 'express';
import { claimRoom } from '../assignment/claimRoom.ts';
import type { Directory } from '../assignment/findOwner.ts';
import { recordRooms } from '../assignment/recordRooms.ts';
import { acceptHeartbeat, readRooms } from '../directory/acceptHeartbeat.ts';
import { type Daemon, shardOf } from '../directory/Daemon.ts';
import { registerDaemon } from '../directory/registerDaemon.ts';
import type { Metrics } from '../metrics.ts';
import type { Config } from '../settingsSchema.ts';
import type { AssignmentKeys } from '../tokens/AssignmentKeys.ts';
import { DaemonAccess, secretOf } from './DaemonAccess.ts';
import { jsonBody } from './jsonBody.ts';
import { readId } from './requestFields.ts';

/** The most rooms in one report. */
const MAX_REPORTED = 100;

export type DaemonRoutesParts = {
  readonly directory: Directory;
  readonly keys: AssignmentKeys;
  readonly metrics: Metrics;
  readonly fleet: Pick<Config['fleet'], 'daemonKey' | 'heartbeatIntervalMs'>;
  readonly daemonTls: Pick<Config['daemons'], 'daemonTls' | 'allowPlainDaemonsBeyondLoopback'>;
  /** Per client address. */
  readonly limits: Pick<Config['limits'], 'wrongKeysPerMinute'>;
};

/** @throws HttpProblem INVALID_REQUEST for a daemon on another machine that would get its commands in plain text. */
function refusePlainText(grpcAddress: string, settings: DaemonRoutesParts['daemonTls']): void {
  const host = grpcAddress.replace(/:\d+$/, '');
  if (settings.daemonTls || settings.allowPlainDaemonsBeyondLoopback || isLoopback(host)) return;
  throw new HttpProblem(
    'INVALID_REQUEST',
    `grpcAddress: ${host} is another machine and would get commands in plain text; set` +
      ' CONTROL_PLANE_DAEMON_TLS=true, or CONTROL_PLANE_ALLOW_PLAIN_DAEMONS_BEYOND_LOOPBACK=true to allow that',
  );
}

/** The routes for media daemons; bodies are the messages of `registry.proto` as protobuf JSON. */
export function daemonRoutes(parts: DaemonRoutesParts): Router {
  const { directory, keys, fleet, limits } = parts;
  const access = new DaemonAccess(fleet.daemonKey, limits.wrongKeysPerMinute, parts.metrics);
  const router = Router({ caseSensitive: true, strict: true });
  const forEveryAnswer = async () => ({
    heartbeatInterval: durationFromMs(fleet.heartbeatIntervalMs),
    jwksJson: JSON.stringify(await keys.jwks()),
  });
  const readOwnRow = async (daemonId: string, incarnation: string, response: Response) => {
    const { region, hash } = secretOf(response);
    const row = await directory.daemons.read(shardOf(region, daemonId), daemonId);
    requireOwnRow(row, incarnation, hash);
    access.prove(response);
    return row;
  };

  router
    .route('/daemons/:daemonId')
    .delete(access.withSecret, async (request, response) => {
      const daemonId = readId('daemonId', request.params);
      const { region, hash } = secretOf(response);
      const shard = shardOf(region, daemonId);
      const removed = await directory.daemons.remove(shard, daemonId, hash);
      // A missing row is a success; a row that is still there belongs to another incarnation.
      if (!removed && (await directory.daemons.read(shard, daemonId))) throw new HttpProblem('UNAUTHORIZED');
      if (removed) access.prove(response);
      directory.logger.info({ daemonId, removed }, 'daemon deregistered');
      response.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));

  router
    .route('/daemons/:daemonId/registrations')
    .post(access.withKey, jsonBody, async (request, response) => {
      const daemonId = readId('daemonId', request.params);
      const message = readMessage(RegisterRequestSchema, request.body);
      refusePlainText(message.grpcAddress, parts.daemonTls);
      const secret = await registerDaemon(daemonId, message, directory);
      answer(response.status(201), RegisterResponseSchema, { secret, ...(await forEveryAnswer()) });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/daemons/:daemonId/heartbeats')
    .post(access.withSecret, jsonBody, async (request, response) => {
      const daemonId = readId('daemonId', request.params);
      const heartbeat = readMessage(HeartbeatRequestSchema, request.body);
      const outcome = await acceptHeartbeat(daemonId, secretOf(response), heartbeat, directory);
      // The row has only the newer incarnation's secret, so a superseded one proves nothing.
      if (!outcome.superseded) access.prove(response);
      answer(response, HeartbeatResponseSchema, { ...outcome, ...(await forEveryAnswer()) });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/daemons/:daemonId/rooms')
    .post(access.withSecret, jsonBody, async (request, response) => {
      const daemonId = readId('daemonId', request.params);
      const report = readMessage(ReportRoomsRequestSchema, request.body);
      if (report.rooms.length > MAX_REPORTED)
        throw new HttpProblem('INVALID_REQUEST', `rooms: has more than ${MAX_REPORTED}`);
      const open = readRooms('rooms', report.rooms, (entry) => {
        directory.metrics.reportEntriesLeft.inc({ outcome: 'skipped' });
        directory.logger.warn({ daemonId, entry }, 'reported room skipped');
      });
      const rtpCapabilities = readRtpCapabilities(report.rtpCapabilitiesJson);
      const daemon = await readOwnRow(daemonId, report.incarnation, response);
      const { rooms, elsewhere } = await recordRooms(open, daemon, rtpCapabilities, directory);
      const recorded = rooms.map(({ roomId, epoch }) => ({ roomId, epoch: BigInt(epoch) }));
      answer(response, ReportRoomsResponseSchema, { rooms: recorded, elsewhere });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/daemons/:daemonId/rooms/:roomId')
    .put(access.withSecret, jsonBody, async (request, response) => {
      const daemonId = readId('daemonId', request.params);
      const roomId = readId('roomId', request.params);
      const { incarnation, rtpCapabilitiesJson } = readMessage(ClaimRoomRequestSchema, request.body);
      const rtpCapabilities = readRtpCapabilities(rtpCapabilitiesJson);
      const daemon = await readOwnRow(daemonId, incarnation, response);
      answer(response, ClaimRoomResponseSchema, await claim(roomId, daemon, rtpCapabilities, directory));
    })
    .all(methodNotAllowed('PUT'));

  return router;
}

async function claim(roomId: string, daemon: Daemon, rtpCapabilities: string, directory: Directory) {
  const { epoch, ...claimed } = await claimRoom(roomId, daemon, rtpCapabilities, directory);
  return { ...claimed, epoch: BigInt(epoch) };
}

/** @throws HttpProblem DAEMON_NOT_REGISTERED if the daemon is gone, replaced or lost and must register again; UNAUTHORIZED. */
function requireOwnRow(row: Daemon | undefined, incarnation: string, hash: string): asserts row is Daemon {
  if (row?.incarnation !== incarnation) throw new HttpProblem('DAEMON_NOT_REGISTERED');
  if (row.secretHash !== hash) throw new HttpProblem('UNAUTHORIZED');
  if (row.state === 'lost') throw new HttpProblem('DAEMON_NOT_REGISTERED', 'the daemon was declared lost');
}

/** @throws HttpProblem INVALID_REQUEST. */
function readRtpCapabilities(json: string): string {
  try {
    return JSON.stringify(rtpCapabilitiesSchema.parse(JSON.parse(json)));
  } catch {
    throw new HttpProblem('INVALID_REQUEST', 'rtpCapabilitiesJson: is not JSON with codecs and headerExtensions');
  }
}

/** Ignores unknown fields, so that daemons may be newer than the control plane. */
function readMessage<D extends DescMessage>(desc: D, body: unknown): MessageShape<D> {
  try {
    return fromJson(desc, body as JsonValue, { ignoreUnknownFields: true });
  } catch (error) {
    throw new HttpProblem('INVALID_REQUEST', (error as Error).message);
  }
}

/** Writes fields with default values too, which makes the traffic readable. */
function answer<D extends DescMessage>(response: Response, desc: D, message: MessageInitShape<D>): void {
  response.set('Cache-Control', 'no-store').json(toJson(desc, create(desc, message), { alwaysEmitImplicit: true }));
}
