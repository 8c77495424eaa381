import { pageQuerySchema } from '@mediasoup-server/proto/http';
import { idSchema } from '@mediasoup-server/proto/ids';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import { z } from 'zod';
import type { DaemonKey } from '../directory/DaemonTable.ts';
import type { RoomKey } from '../directory/RoomTable.ts';
import type { PageRequest } from '../store/Table.ts';
import { readQuery } from './requestFields.ts';

// DynamoDB refuses malformed keys, so only keys that a table can have reach it.
export const roomKeySchema: z.ZodType<RoomKey> = z.strictObject({ roomId: idSchema });
export const daemonKeySchema: z.ZodType<DaemonKey> = z.strictObject({
  shard: z.string().regex(/^.{1,128}#\d+$/u),
  daemonId: idSchema,
});

/** Encodes a key as a cursor. The encoding is private and may change with any release. */
export const cursorOf = (key: object): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/**
 * Reads `?limit=..&cursor=..`.
 *
 * @throws HttpProblem INVALID_REQUEST that names every wrong parameter.
 */
export function readPage<K>(keySchema: z.ZodType<K>, query: unknown): PageRequest<K> {
  const { limit, cursor } = readQuery(pageQuerySchema, query);
  return { limit, ...(cursor !== undefined && { after: readCursor(keySchema, cursor) }) };
}

function readCursor<K>(keySchema: z.ZodType<K>, cursor: string): K {
  try {
    return keySchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (cause) {
    throw new HttpProblem('INVALID_REQUEST', 'cursor: was not answered by a page of this list', { cause });
  }
}
