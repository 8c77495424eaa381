/**
 * A condition of a DynamoDB write, or the filter of a scan: a function that writes the expression with a request's placeholders.
 */
export type Condition = (placeholders: Placeholders) => string;

/** The attribute has this value. A path may reach into lists and maps: `instances[0].daemonId`. */
export const equals =
  (path: string, value: unknown): Condition =>
  (placeholders) =>
    `${placeholders.name(path)} = ${placeholders.value(value)}`;

/** The attribute exists and has another value. */
export const differs =
  (path: string, value: unknown): Condition =>
  (placeholders) =>
    `(attribute_exists(${placeholders.name(path)}) AND ${placeholders.name(path)} <> ${placeholders.value(value)})`;

/** The attribute does not exist; for a key attribute: the item does not. */
export const absent =
  (path: string): Condition =>
  (placeholders) =>
    `attribute_not_exists(${placeholders.name(path)})`;

/** The attribute exists and is at least this. */
export const atLeast =
  (path: string, value: number): Condition =>
  (placeholders) =>
    `${placeholders.name(path)} >= ${placeholders.value(value)}`;

/** The attribute exists; for an index into a list: the list is that long. */
export const present =
  (path: string): Condition =>
  (placeholders) =>
    `attribute_exists(${placeholders.name(path)})`;

/** The attribute does not exist, or is a set without this. */
export const lacks =
  (path: string, member: string): Condition =>
  (placeholders) =>
    `NOT contains(${placeholders.name(path)}, ${placeholders.value(member)})`;

export const allOf =
  (...conditions: readonly Condition[]): Condition =>
  (placeholders) =>
    `(${conditions.map((condition) => condition(placeholders)).join(' AND ')})`;

export const anyOf =
  (...conditions: readonly Condition[]): Condition =>
  (placeholders) =>
    `(${conditions.map((condition) => condition(placeholders)).join(' OR ')})`;

/** The placeholders of one request. Every attribute gets one, because DynamoDB reserves many plain words. */
export class Placeholders {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, unknown> = {};

  name(path: string): string {
    return path
      .split('.')
      .map((step) => {
        const [attribute = '', index = ''] = step.split(/(?=\[)/);
        const known = this.#names.get(attribute) ?? `#n${this.#names.size}`;
        this.#names.set(attribute, known);
        return known + index;
      })
      .join('.');
  }

  value(value: unknown): string {
    const placeholder = `:v${Object.keys(this.#values).length}`;
    this.#values[placeholder] = value;
    return placeholder;
  }

  /** The request's members; DynamoDB refuses empty ones. */
  members(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, unknown>;
  } {
    return {
      ...(this.#names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries(
          [...this.#names].map(([name, placeholder]) => [placeholder, name]),
        ),
      }),
      ...(Object.keys(this.#values).length > 0 && { ExpressionAttributeValues: this.#values }),
    };
  }
}
