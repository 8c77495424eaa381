import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Logger } from '@mediasoup-server/process/logger';
import { HttpProblem } from '@mediasoup-server/process/problem';
import type { z } from 'zod';
import type { Metrics } from '../metrics.ts';
import { type Condition, Placeholders } from './condition.ts';

/** A value that the store computes from an attribute of the item; a string names an attribute, a number is itself. */
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

type Change<T> = { readonly [K in keyof T]?: T[K] | Computed | undefined };
type Key = Readonly<Record<string, string>>;

export type TableParts = {
  readonly client: DynamoDBDocumentClient;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

/**
 * One DynamoDB table, an item at a time. Reads are consistent, except queries.
 *
 * A write whose condition does not hold answers `false`. Every other failure is logged here and thrown as an
 * HttpProblem UNAVAILABLE: the caller may try again, and a frontend is told so.
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
      for (const [attribute, value] of Object.entries(change)) {
        if (value === undefined) remove.push(placeholders.name(attribute));
        else if (value instanceof Computed)
          set.push(
            `${placeholders.name(attribute)} = ${operand(value.left)} ${value.operator} ${operand(value.right)}`,
          );
        else set.push(`${placeholders.name(attribute)} = ${placeholders.value(value)}`);
      }
      const actions = [
        ...(set.length > 0 ? [`SET ${set.join(', ')}`] : []),
        ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : []),
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

  async #write(operation: string, send: (placeholders: Placeholders) => Promise<unknown>): Promise<boolean> {
    const answer = await this.#run(operation, () => send(new Placeholders()));
    return answer !== CONDITION_FAILED;
  }

  async #run<T>(operation: string, send: () => Promise<T>): Promise<T> {
    const count = (outcome: string) =>
      this.#parts.metrics.tableOperations.inc({ table: this.#label, operation, outcome });
    try {
      const answer = await send();
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
