import type { Body, Module } from './Module.ts';

/** The arguments of a block by name, and its attributes, as `writeAwsSchema.ts` read them from the AWS provider. */
export type BlockSchema = {
  readonly arguments: Readonly<Record<string, { readonly required?: true; readonly block?: BlockSchema }>>;
  readonly attributes: readonly string[];
};
export type AwsSchema = { readonly version: string; readonly types: Readonly<Record<string, BlockSchema>> };

/** The meta-arguments of every resource. */
const OF_TERRAFORM = new Set(['count', 'for_each', 'depends_on', 'lifecycle', 'provider', 'dynamic', 'timeouts']);

/** @returns a line for each unknown or missing argument of an AWS resource, and for each unknown attribute that is read. */
export function schemaProblems(module: Module, { types }: AwsSchema): string[] {
  const problems: string[] = [];
  for (const [address, body] of module.objects) {
    const type = address.replace(/\.[^.]+$/, '');
    if (!/^(data\.)?aws_/.test(type)) continue;
    const schema = types[type];
    if (schema) problems.push(...blockProblems(body, schema).map((what) => `${module.folder}: ${address}: ${what}`));
    else problems.push(`${module.folder}: ${address}: its type is not in awsSchema.json, see writeAwsSchema.ts`);
  }
  for (const { to, file } of module.references) {
    const isData = to[0] === 'data';
    const type = isData ? `data.${to[1]}` : String(to[0]);
    const attribute = to.slice(isData ? 3 : 2).find((step) => /^[a-z_]+$/.test(step) && !/^\d+$/.test(step));
    const schema = types[type];
    if (!schema || attribute === undefined || schema.attributes.includes(attribute)) continue;
    // The step after a resource of several, each with a key of its own.
    if (module.objects.get(to.slice(0, isData ? 3 : 2).join('.'))?.for_each !== undefined) continue;
    problems.push(`${file}: ${to.join('.')}: ${type} has no ${attribute}`);
  }
  return problems;
}

function blockProblems(body: Body, schema: BlockSchema): string[] {
  const dynamic = (body.dynamic ?? {}) as Readonly<Record<string, readonly { readonly content?: readonly Body[] }[]>>;
  const inner = new Map<string, readonly Body[]>(
    Object.entries(dynamic).map(([name, blocks]) => [name, blocks.flatMap(({ content }) => content ?? [])]),
  );
  const problems: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (OF_TERRAFORM.has(name)) continue;
    const known = schema.arguments[name];
    if (!known) problems.push(`there is no argument ${name}`);
    else if (known.block && Array.isArray(value)) inner.set(name, [...(inner.get(name) ?? []), ...(value as Body[])]);
  }
  for (const [name, blocks] of inner) {
    const block = schema.arguments[name]?.block;
    if (!block) problems.push(`there is no block ${name}`);
    else for (const each of blocks) problems.push(...blockProblems(each, block).map((what) => `${name}: ${what}`));
  }
  for (const [name, { required }] of Object.entries(schema.arguments))
    if (required && !(name in body) && !inner.has(name)) problems.push(`${name} is missing`);
  return problems;
}
