import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import { inSpan } from '@mediasoup-server/server-kit/tracing';
import type { z } from 'zod';
import type { Metrics } from '../metrics.ts';
import { type Condition, Placeholders } from './conditionBuilder.ts';

/** A value that the store computes. A string names an attribute of the item, a number is a constant. */
export class Computed {
  readonly left: string | number;
  readonly operator: '+' | '-';
  readonly right: string | number;

  constructor(left: string | number, operator: '+' | '-', right: string | number) {
    this.left = left;
    this.operator = operator;
    this.right = right;
  }
}

/** A member that is added to a set of strings, which is created if it does not exist, or removed from it. */
export class Member {
  readonly action: 'ADD' | 'DELETE';
  readonly member: string;

  constructor(action: 'ADD' | 'DELETE', member: string) {
    this.action = action;
    this.member = member;
  }
}

type Change<T> = { readonly [K in keyof T]?: T[K] | Computed | Member | undefined };
type Key = Readonly<Record<string, string>>;

/** How many reads may fill one page when the filter drops most items. */
const MAX_READS_PER_PAGE = 10;

/** The start of a page, and the most items that it has. */
export type PageRequest<K> = { readonly limit: number; readonly after?: K | undefined };
/** Items, and the key to continue after unless this is the last page. A page may be short or empty without being the last. */
export type Page<T, K> = { readonly items: T[]; readonly next?: K };

export type TableParts = {
  readonly client: DynamoDBDocumentClient;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

/**
 * One DynamoDB table, an item at a time. Reads are consistent, except queries and scans.
 *
 * A write whose condition does not hold returns `false`. Every other failure is logged and thrown as an HttpProblem
 * UNAVAILABLE, so the client tries again.
 */
export class Table<S extends z.ZodObject> {
  readonly #parts: TableParts;
  readonly #name: string;
  readonly #label: string;
  readonly #schema: S;

  constructor(parts: TableParts, { prefix, label, schema }: { prefix: string; label: string; schema: S }) {
    this.#parts = parts;
    this.#name = prefix + label;
    this.#label = label;
    this.#schema = schema;
  }

  async get(key: Key, { timeoutMs }: { timeoutMs?: number } = {}): Promise<z.infer<S> | undefined> {
    const { Item } = await this.#run('get', () =>
      this.#parts.client.send(
        new GetCommand({ TableName: this.#name, Key: key, ConsistentRead: true }),
        timeoutMs === undefined ? {} : { abortSignal: AbortSignal.timeout(timeoutMs) },
      ),
    );
    return Item && this.#schema.parse(Item);
  }

  /** The items under a hash key, all pages. */
  async query(hash: string, value: string): Promise<z.infer<S>[]> {
    const items: z.infer<S>[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await this.#run('query', () =>
        this.#parts.client.send(
          new QueryCommand({
            TableName: this.#name,
            KeyConditionExpression: '#hash = :hash',
            ExpressionAttributeNames: { '#hash': hash },
            ExpressionAttributeValues: { ':hash': value },
            ExclusiveStartKey: from,
          }),
        ),
      );
      items.push(...(page.Items ?? []).map((item) => this.#schema.parse(item)));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  }

  put(item: z.infer<S>, condition?: Condition): Promise<boolean> {
    return this.#write('put', (placeholders) =>
      this.#parts.client.send(
        new PutCommand({
          TableName: this.#name,
          Item: item,
          ...(condition && { ConditionExpression: condition(placeholders) }),
          ...placeholders.members(),
        }),
      ),
    );
  }

  /**
   * Sets attributes of an item, or removes those whose value is `undefined`.
   *
   * @returns the item as it is now, or `undefined` when the condition does not hold.
   */
  async update(key: Key, change: Change<z.infer<S>>, condition: Condition): Promise<z.infer<S> | undefined> {
    const answer = await this.#run('update', () => {
      const placeholders = new Placeholders();
      const operand = (of: string | number) =>
        typeof of === 'string' ? placeholders.name(of) : placeholders.value(of);
      const set: string[] = [];
      const remove: string[] = [];
      const members = { ADD: [] as string[], DELETE: [] as string[] };
      for (const [attribute, value] of Object.entries(change)) {
        if (value === undefined) remove.push(placeholders.name(attribute));
        else if (value instanceof Member)
          members[value.action].push(`${placeholders.name(attribute)} ${placeholders.value(new Set([value.member]))}`);
        else if (value instanceof Computed)
          set.push(
            `${placeholders.name(attribute)} = ${operand(value.left)} ${value.operator} ${operand(value.right)}`,
          );
        else set.push(`${placeholders.name(attribute)} = ${placeholders.value(value)}`);
      }
      const actions = [
        ...(set.length > 0 ? [`SET ${set.join(', ')}`] : []),
        ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : []),
        ...(members.ADD.length > 0 ? [`ADD ${members.ADD.join(', ')}`] : []),
        ...(members.DELETE.length > 0 ? [`DELETE ${members.DELETE.join(', ')}`] : []),
      ];
      return this.#parts.client.send(
        new UpdateCommand({
          TableName: this.#name,
          Key: key,
          UpdateExpression: actions.join(' '),
          ConditionExpression: condition(placeholders),
          ReturnValues: 'ALL_NEW',
          ...placeholders.members(),
        }),
      );
    });
    return (answer as unknown) === CONDITION_FAILED ? undefined : this.#schema.parse(answer.Attributes);
  }

  delete(key: Key, condition: Condition): Promise<boolean> {
    return this.#write('delete', (placeholders) =>
      this.#parts.client.send(
        new DeleteCommand({
          TableName: this.#name,
          Key: key,
          ConditionExpression: condition(placeholders),
          ...placeholders.members(),
        }),
      ),
    );
  }

  /**
   * Reads the table from a key on, in no particular order. The limit bounds the cost, however few items pass the filter.
   *
   * @param keyOf the key of an item. A page may continue after any key, even that of a deleted item.
   */
  async scan<K extends Key>(
    { limit, after }: PageRequest<K>,
    filter: Condition,
    keyOf: (item: z.infer<S>) => K,
  ): Promise<Page<z.infer<S>, K>> {
    const items: z.infer<S>[] = [];
    let from = after;
    for (let read = 0; read < MAX_READS_PER_PAGE; read++) {
      const placeholders = new Placeholders();
      const page = await this.#run('scan', () =>
        this.#parts.client.send(
          new ScanCommand({
            TableName: this.#name,
            Limit: limit,
            ExclusiveStartKey: from,
            FilterExpression: filter(placeholders),
            ...placeholders.members(),
          }),
        ),
      );
      items.push(...(page.Items ?? []).map((item) => this.#schema.parse(item)));
      const last = items[limit - 1];
      if (last && (items.length > limit || page.LastEvaluatedKey)) {
        return { items: items.slice(0, limit), next: keyOf(last) };
      }
      if (!page.LastEvaluatedKey) return { items };
      from = page.LastEvaluatedKey as K;
    }
    return { items, ...(from && { next: from }) };
  }

  async #write(operation: string, send: (placeholders: Placeholders) => Promise<unknown>): Promise<boolean> {
    const answer = await this.#run(operation, () => send(new Placeholders()));
    return answer !== CONDITION_FAILED;
  }

  async #run<T>(operation: string, send: () => Promise<T>): Promise<T> {
    const { tableOperations, tableSeconds } = this.#parts.metrics;
    const labels = { table: this.#label, operation };
    const stopTimer = tableSeconds.startTimer(labels);
    const count = (outcome: string) => {
      stopTimer();
      tableOperations.inc({ ...labels, outcome });
    };
    try {
      const answer = await inSpan(`${operation} ${this.#label}`, { kind: 'client' }, send);
      count('ok');
      return answer;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') {
        count('condition');
        return CONDITION_FAILED as T;
      }
      count('error');
      this.#parts.logger.error({ err: error, table: this.#name, operation }, 'table operation failed');
      throw new HttpProblem('UNAVAILABLE', 'the directory cannot be reached', { retryAfter: 1, cause: error });
    }
  }
}

const CONDITION_FAILED: unknown = Symbol('condition failed');
