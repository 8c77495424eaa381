import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assignment, Problem } from '@mediasoup-server/proto/http';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { type ControlPlane, startControlPlane } from '../app.ts';
import { readConfig } from '../config.ts';
import { DaemonTable } from '../directory/DaemonTable.ts';
import { RoomTable } from '../directory/RoomTable.ts';
import { createMetrics } from '../metrics.ts';
import { startEmbeddedDynamo } from '../store/embeddedDynamo.ts';
import { openStore } from '../store/openStore.ts';
import { overrideSettings, type SettingOverrides } from './overrideSettings.ts';
import { TestDaemon } from './TestDaemon.ts';

export const DAEMON_KEY = 'a key for tests only';

/** Silent, so that a test's own output stays readable. */
export const logger = createLogger('test', 'silent');

/** A control plane with a store, a folder and daemons of its own. */
export type TestBed = {
  readonly dataDir: string;
  readonly dynamodbEndpoint: string;
  readonly controlPlane: ControlPlane;
  readonly url: string;
  readonly rooms: RoomTable;
  readonly daemons: DaemonTable;
  /** Ends the store under the running control plane. */
  stopStore(): Promise<void>;
  /** Starts another control plane on the same store and key. */
  another(settings?: SettingOverrides): Promise<ControlPlane>;
  /** Starts a daemon, which is not registered yet. */
  daemon(daemonId: string): Promise<TestDaemon>;
  assign(roomId: string, body?: Record<string, unknown>, url?: string): Promise<Response>;
  close(): Promise<void>;
};

/** Credentials that the store of a test bed is given; a program that uses DynamoDB gets them from its surroundings. */
process.env.AWS_ACCESS_KEY_ID ??= 'test';
process.env.AWS_SECRET_ACCESS_KEY ??= 'test';

export async function startTestBed(settings: SettingOverrides = {}): Promise<TestBed> {
  const dataDir = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const dynamo = await startEmbeddedDynamo(dataDir, process.env.AWS_ACCESS_KEY_ID);
  let storeRuns = true;
  const stopStore = async () => {
    if (storeRuns) await dynamo.close();
    storeRuns = false;
  };
  const defaults = readConfig({ CONTROL_PLANE_DAEMON_KEY: DAEMON_KEY, CONTROL_PLANE_STORE: 'dynamodb' });
  const config = overrideSettings(defaults, {
    dynamodbEndpoint: dynamo.endpoint,
    dataDir,
    listenPort: 0,
    metricsPort: 0,
    ...settings,
  });
  const store = await openStore(config.store, logger);
  await store.createTables();
  const parts = { client: store.client, metrics: createMetrics(), logger };
  const started: ControlPlane[] = [];
  const daemons: TestDaemon[] = [];
  const another = async (changes: SettingOverrides = {}) => {
    const controlPlane = await startControlPlane(overrideSettings(config, changes), { logger });
    started.push(controlPlane);
    return controlPlane;
  };
  const controlPlane = await another();
  return {
    dataDir,
    dynamodbEndpoint: dynamo.endpoint,
    controlPlane,
    url: controlPlane.url,
    rooms: new RoomTable(parts, config.store.tablePrefix),
    daemons: new DaemonTable(parts, config.store.tablePrefix),
    stopStore,
    another,
    daemon: async (daemonId) => {
      const daemon = await TestDaemon.start(daemonId);
      daemons.push(daemon);
      return daemon;
    },
    assign: (roomId, body = { peerId: 'peer' }, url = controlPlane.url) =>
      fetch(`${url}/rooms/${encodeURIComponent(roomId)}/assignments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    close: async () => {
      for (const daemon of daemons) daemon.die();
      await Promise.all(started.map((one) => one.close()));
      await store.close();
      await stopStore();
      await rm(dataDir, { recursive: true });
    },
  };
}

export const assignmentOf = async (answer: Response) => (await answer.json()) as Assignment;

/** The answer to a claim, as protobuf JSON. */
export const claimOf = async (answer: Response) =>
  (await answer.json()) as { granted: boolean; daemonId: string; epoch: string };

/** The answer to a heartbeat, as protobuf JSON. */
export const heartbeatAnswerOf = async (answer: Response) =>
  (await answer.json()) as {
    fenced: boolean;
    superseded: boolean;
    heartbeatInterval: string;
    jwksJson: string;
    raised: { roomId: string; epoch: string }[];
    unprocessed: string[];
  };

/** The status and the code of a problem answer, which has the right media type. */
export async function problemOf(answer: Response): Promise<Pick<Problem, 'status' | 'code' | 'detail'>> {
  const type = answer.headers.get('content-type');
  if (!type?.startsWith('application/problem+json')) throw new Error(`${answer.status} ${type}: not a problem`);
  const { status, code, detail } = (await answer.json()) as Problem;
  if (status !== answer.status) throw new Error(`the problem says ${status}, the answer ${answer.status}`);
  return { status, code, ...(detail !== undefined && { detail }) };
}
