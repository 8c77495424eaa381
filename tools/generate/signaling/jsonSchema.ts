import { z } from 'zod';

/** The members of JSON Schema that the messages' schemas use. */
export type Schema = {
  readonly type?: string;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
};

/** Where the shapes are that several messages share. */
const SHAPES = '#/components/schemas/';

/** Makes JSON schemas of zod's, and keeps aside those that have a name (`.meta({ id })`). */
export class JsonSchemas {
  readonly #shapes = new Map<string, Schema>();

  /** The shapes that were met so far, in the order of their names. */
  get shapes(): [name: string, schema: Schema][] {
    return [...this.#shapes].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The schema, in which shapes with a name are references. AsyncAPI's own dialect is draft 7. */
  of(type: z.ZodType): Schema {
    const made = z.toJSONSchema(type, { io: 'input', target: 'draft-7' });
    const text = JSON.stringify(made).replaceAll('"#/definitions/', `"${SHAPES}`);
    const { $schema: _, definitions = {}, ...schema } = JSON.parse(text);
    for (const [name, shape] of Object.entries(definitions)) this.#shapes.set(name, shape as Schema);
    return schema;
  }

  /** The shape that a schema refers to, or the schema itself. */
  resolve(schema: Schema): Schema {
    const name = shapeName(schema);
    return (name !== undefined && this.#shapes.get(name)) || schema;
  }
}

/** The name of the shape that a schema is. A field with a description of its own wraps its reference in `allOf`. */
export function shapeName({ $ref, allOf }: Schema): string | undefined {
  const [only] = allOf ?? [];
  return $ref === undefined ? only && shapeName(only) : $ref.slice(SHAPES.length);
}
