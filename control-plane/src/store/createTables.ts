import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { Logger } from '@mediasoup-server/server-kit/logger';

/** The tables by what their names end with, and their keys, which are strings. */
export const TABLES = {
  rooms: { roomId: 'HASH' },
  daemons: { shard: 'HASH', daemonId: 'RANGE' },
} as const;
/** When an item expires, Unix time in seconds. */
export const TTL_ATTRIBUTE = 'expiresAt';

/** How long a new table may take to become usable. DynamoDB takes about ten seconds. */
const TABLE_WAIT_SECONDS = 120;

/** Creates the tables that do not exist yet and waits until all can be used. */
export async function createTables(client: DynamoDBClient, prefix: string, logger: Logger): Promise<void> {
  for (const [label, keys] of Object.entries(TABLES)) {
    const TableName = prefix + label;
    const created = await createTable(client, {
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: Object.keys(keys).map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: Object.entries(keys).map(([AttributeName, KeyType]) => ({ AttributeName, KeyType })),
    });
    await waitUntilTableExists({ client, maxWaitTime: TABLE_WAIT_SECONDS, minDelay: 1, maxDelay: 5 }, { TableName });
    if (created) {
      logger.info({ table: TableName }, 'table created');
      await expireItems(client, TableName, logger);
    }
  }
}

async function createTable(client: DynamoDBClient, input: CreateTableCommandInput): Promise<boolean> {
  try {
    await client.send(new CreateTableCommand(input));
    return true;
  } catch (error) {
    if (error instanceof ResourceInUseException) return false;
    throw error;
  }
}

/** Stores that are compatible with DynamoDB need not have TTL: then tombstones stay, which does no harm. */
async function expireItems(client: DynamoDBClient, TableName: string, logger: Logger): Promise<void> {
  const TimeToLiveSpecification = { AttributeName: TTL_ATTRIBUTE, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification })).catch((error: Error) => {
    const level = error.name === 'UnknownOperationException' ? 'debug' : 'warn';
    logger[level]({ err: error, table: TableName }, 'the store will not expire items by itself');
  });
}
