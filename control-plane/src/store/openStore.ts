import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import type { Config } from '../config.ts';

/** The connection to the tables. */
export type Store = {
  readonly client: DynamoDBDocumentClient;
  createTables(): Promise<void>;
  close(): Promise<void>;
};

/**
 * Connects to the configured store; the embedded one is started and gets its tables. For DynamoDB itself, credentials
 * come from where every AWS program finds them.
 */
export async function openStore(config: Config, logger: Logger): Promise<Store> {
  const embedded = config.store === 'embedded' ? await openEmbedded(config.dataDir) : undefined;
  const endpoint = embedded?.endpoint ?? config.dynamodbEndpoint;
  const client = new DynamoDBClient({
    region: config.awsRegion,
    ...(endpoint !== undefined && { endpoint }),
    ...(embedded && { credentials: embedded.credentials }),
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: 1000,
      requestTimeout: 3000,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: 256 },
      httpsAgent: { keepAlive: true, maxSockets: 256 },
    },
  });
  const store: Store = {
    client: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    createTables: async () => (await import('./createTables.ts')).createTables(client, config.tablePrefix, logger),
    close: async () => {
      client.destroy();
      await embedded?.close();
    },
  };
  if (embedded) await store.createTables();
  return store;
}

/** Loaded only where it is used: a function on AWS neither has it nor waits for it. */
async function openEmbedded(dataDir: string) {
  const { startEmbeddedDynamo } = await import('./embeddedDynamo.ts');
  return startEmbeddedDynamo(dataDir);
}
