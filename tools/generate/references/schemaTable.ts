import { type Schema, shapeName } from '../signaling/jsonSchema.ts';

/** A table of a schema's fields, with those of inner objects; an empty string if there are none. */
export function fieldsTable(schema: Schema): string {
  if (schema.anyOf) {
    const choices = schema.anyOf.map((choice) => Object.keys(choice.properties ?? {}).map((name) => `\`${name}\``));
    return `One of ${choices.join(', ')}: string.`;
  }
  const found = rows(schema, '');
  return found.length === 0 ? '' : ['| field | type | |', '|---|---|---|', ...found].join('\n');
}

function rows({ properties = {}, required = [] }: Schema, within: string): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = within + name;
    const optional = required.includes(name) ? '' : ' (optional)';
    const inner = field.type === 'array' ? field.items : field;
    return [
      `| \`${path}\`${optional} | ${typeName(field)} | ${field.description ?? ''} |`,
      ...(inner ? rows(inner, `${path}${field.type === 'array' ? '[]' : ''}.`) : []),
    ];
  });
}

/** A type in words; a shape with a name is a link to its section of the page. */
export function typeName(schema: Schema): string {
  const name = shapeName(schema);
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`;
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' or ');
  if (schema.enum) return schema.enum.map((value) => `\`"${value}"\``).join(' or ');
  if (schema.const !== undefined) return `\`"${schema.const}"\``;
  if (schema.type === 'array') return `list of ${schema.items ? typeName(schema.items) : 'anything'}`;
  const { type = 'anything', minimum, maximum } = schema;
  const isRange = minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return isRange ? `${type}, ${minimum} to ${maximum}` : type;
}
