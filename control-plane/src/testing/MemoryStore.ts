import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';

type Item = Readonly<Record<string, unknown>>;
type Expressions = {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined;
};

/**
 * The tables of a simulation, in memory: it answers at once, or when `schedule` lets it, and understands the commands
 * and expressions that `Table` writes, no others. Tests of what DynamoDB does use a real store.
 */
export class MemoryStore {
  /** Table, then hash key, then range key. */
  readonly #tables = new Map<string, Map<string, Map<string, Item>>>();
  readonly #schedule: <T>(operation: () => T) => Promise<T>;
  /** What a `Table` takes for its connection. */
  readonly client: DynamoDBDocumentClient;

  constructor(schedule: <T>(operation: () => T) => Promise<T> = async (operation) => operation()) {
    this.#schedule = schedule;
    this.client = { send: (command: object) => this.#schedule(() => this.#run(command)) } as never;
  }

  #run(command: object): object {
    if (command instanceof GetCommand) {
      return { Item: this.#shelf(command.input.TableName, command.input.Key).get(rangeOf(command.input.Key)) };
    }
    if (command instanceof QueryCommand) {
      const hash = String(Object.values(command.input.ExpressionAttributeValues ?? {})[0]);
      return { Items: [...(this.#table(command.input.TableName).get(hash)?.values() ?? [])] };
    }
    if (command instanceof PutCommand) {
      const { TableName, Item = {} } = command.input;
      const shelf = this.#shelf(TableName, Item);
      demand(command.input, shelf.get(rangeOf(Item)));
      shelf.set(rangeOf(Item), Item);
      return {};
    }
    if (command instanceof UpdateCommand) {
      const { TableName, Key = {}, UpdateExpression = '' } = command.input;
      const shelf = this.#shelf(TableName, Key);
      const before = shelf.get(rangeOf(Key));
      demand(command.input, before);
      const after = update({ ...Key, ...before }, UpdateExpression, command.input);
      shelf.set(rangeOf(Key), after);
      return { Attributes: after };
    }
    if (command instanceof DeleteCommand) {
      const { TableName, Key = {} } = command.input;
      const shelf = this.#shelf(TableName, Key);
      demand(command.input, shelf.get(rangeOf(Key)));
      shelf.delete(rangeOf(Key));
      return {};
    }
    throw new Error(`no such command: ${command.constructor.name}`);
  }

  #table(name: string | undefined): Map<string, Map<string, Item>> {
    const table = this.#tables.get(String(name)) ?? new Map();
    this.#tables.set(String(name), table);
    return table;
  }

  #shelf(name: string | undefined, item: Item | undefined): Map<string, Item> {
    const hash = String(item?.roomId ?? item?.shard);
    const table = this.#table(name);
    const shelf = table.get(hash) ?? new Map();
    table.set(hash, shelf);
    return shelf;
  }
}

const rangeOf = (item: Item | undefined): string => String(item?.daemonId ?? '');

function demand(input: Expressions & { ConditionExpression?: string | undefined }, item: Item | undefined): void {
  const { ConditionExpression } = input;
  if (ConditionExpression === undefined || holds(ConditionExpression, item ?? {}, input)) return;
  throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} });
}

/** `#n0`, `#n1[0].#n2` or `:v0`. */
function resolved(operand: string, item: Item, { ExpressionAttributeNames, ExpressionAttributeValues }: Expressions) {
  if (operand.startsWith(':')) return ExpressionAttributeValues?.[operand];
  let value: unknown = item;
  for (const step of operand.split(/[.[]/)) {
    const name = step.endsWith(']') ? step.slice(0, -1) : String(ExpressionAttributeNames?.[step]);
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  return value;
}

/** A condition is one of the four comparisons, or conditions in parentheses joined by AND or by OR. */
function holds(expression: string, item: Item, input: Expressions): boolean {
  const text = expression.trim();
  const parts = split(text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1) : text);
  if (parts.members.length > 1) {
    return parts.joint === 'OR'
      ? parts.members.some((member) => holds(member, item, input))
      : parts.members.every((member) => holds(member, item, input));
  }
  if (text.startsWith('(')) return holds(text.slice(1, -1), item, input);
  const exists = /^attribute_(not_)?exists\((.+)\)$/.exec(text);
  if (exists) return (resolved(exists[2] ?? '', item, input) === undefined) === (exists[1] !== undefined);
  const member = /^NOT contains\((.+), (.+)\)$/.exec(text);
  if (member) return !asSet(resolved(member[1] ?? '', item, input)).has(resolved(member[2] ?? '', item, input));
  const [left = '', operator, right = ''] = text.split(' ');
  const [a, b] = [resolved(left, item, input), resolved(right, item, input)];
  if (operator === '=') return a === b;
  if (operator === '<>') return a !== b;
  if (operator === '>=') return typeof a === 'number' && a >= Number(b);
  throw new Error(`no such condition: ${text}`);
}

/** The members that AND or OR joins outside of all parentheses. */
function split(text: string): { members: string[]; joint: string | undefined } {
  const members: string[] = [];
  let joint: string | undefined;
  let depth = 0;
  let from = 0;
  for (const { 0: token, index } of text.matchAll(/[()]| AND | OR /g)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0) {
      members.push(text.slice(from, index));
      from = index + token.length;
      joint = token.trim();
    }
  }
  return { members: [...members, text.slice(from)], joint };
}

function update(item: Record<string, unknown>, expression: string, input: Expressions): Item {
  const [, sets = '', removes = '', added = '', deleted = ''] =
    /^(?:SET (.*?))? ?(?:REMOVE (.*?))? ?(?:ADD (.*?))? ?(?:DELETE (.*))?$/.exec(expression) ?? [];
  const before = { ...item };
  const nameOf = (path: string) => String(input.ExpressionAttributeNames?.[path]);
  for (const action of sets.split(', ').filter(Boolean)) {
    const [, path = '', left = '', operator, right = ''] = /^(\S+) = (\S+)(?: ([+-]) (\S+))?$/.exec(action) ?? [];
    const [a, b] = [resolved(left, before, input), resolved(right, before, input)];
    item[nameOf(path)] = operator === undefined ? a : Number(a) + (operator === '-' ? -1 : 1) * Number(b);
  }
  for (const path of removes.split(', ').filter(Boolean)) delete item[nameOf(path)];
  for (const [actions, adds] of [
    [added, true],
    [deleted, false],
  ] as const) {
    for (const action of actions.split(', ').filter(Boolean)) {
      const [path = '', members = ''] = action.split(' ');
      const set = asSet(resolved(path, before, input));
      for (const member of asSet(resolved(members, before, input))) adds ? set.add(member) : set.delete(member);
      if (set.size > 0) item[nameOf(path)] = set;
      else delete item[nameOf(path)];
    }
  }
  return item;
}

/** A copy of a set, which is empty where the attribute is missing. */
const asSet = (value: unknown): Set<unknown> => new Set(value instanceof Set ? value : []);
