import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import type { Config } from '../settingsSchema.ts';

/** The connection to the tables. */
export type Store = {
  readonly client: DynamoDBDocumentClient;
  createTables(): Promise<void>;
  close(): Promise<void>;
};

/**
 * Connects to the configured store. The embedded store is started and gets its tables. For DynamoDB, the AWS SDK finds the
 * credentials.
 */
export async function openStore(settings: Config['store'], logger: Logger): Promise<Store> {
  const embedded = settings.store === 'embedded' ? await openEmbedded(settings.dataDir) : undefined;
  const endpoint = embedded?.endpoint ?? settings.dynamodbEndpoint;
  const client = new DynamoDBClient({
    region: settings.awsRegion,
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
    createTables: async () => (await import('./createTables.ts')).createTables(client, settings.tablePrefix, logger),
    close: async () => {
      client.destroy();
      await embedded?.close();
    },
  };
  if (embedded) await store.createTables();
  return store;
}

/** Loaded only where it is used: the bundle for AWS Lambda does not contain it. */
async function openEmbedded(dataDir: string) {
  const { startEmbeddedDynamo } = await import('./embeddedDynamo.ts');
  return startEmbeddedDynamo(dataDir);
}
