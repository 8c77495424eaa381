import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getReferencesInExpression, parse } from '@cdktn/hcl2json';

/** The body of a block, as hcl2json has it: arguments by name, inner blocks as lists, expressions as "${..}". */
export type Body = Readonly<Record<string, unknown>>;
export type Variable = {
  readonly description: string;
  readonly type: string;
  readonly default?: unknown;
  readonly required: boolean;
};
/** A reference to a declaration, such as `var.name`, and its file. */
export type Reference = { readonly to: readonly string[]; readonly file: string };

/** A parsed folder of Terraform files. */
export type Module = {
  readonly folder: string;
  /** Contents by file name, tests included. */
  readonly files: ReadonlyMap<string, string>;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly outputs: ReadonlyMap<string, Body>;
  readonly locals: ReadonlySet<string>;
  /** By address: `aws_vpc.this`, `data.aws_region.current`, `ephemeral.random_password.key`. */
  readonly objects: ReadonlyMap<string, Body>;
  readonly calls: ReadonlyMap<string, Body>;
  readonly providers: ReadonlySet<string>;
  readonly references: readonly Reference[];
};

type Parsed = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, readonly Body[]>> & readonly Body[]>>>
>;

/** @throws Error that names the file and the line at fault. */
export async function readModule(folder: string): Promise<Module> {
  const names = (await readdir(folder)).filter((name) => /\.(tf|hcl)$/.test(name));
  const files = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
  const variables = new Map<string, Variable>();
  const outputs = new Map<string, Body>();
  const locals = new Set<string>();
  const objects = new Map<string, Body>();
  const calls = new Map<string, Body>();
  const providers = new Set<string>();
  const references: Reference[] = [];
  for (const [name, text] of files) {
    const file = join(folder, name);
    const parsed = (await parse(file, text)) as Parsed;
    if (name.endsWith('.tftest.hcl')) continue;
    for (const [variable, [body = {}]] of bodies(parsed.variable)) variables.set(variable, variableOf(body));
    for (const [output, [body = {}]] of bodies(parsed.output)) outputs.set(output, body);
    for (const [call, [body = {}]] of bodies(parsed.module)) calls.set(call, body);
    for (const body of (parsed.locals ?? []) as unknown as Body[])
      for (const local of Object.keys(body)) locals.add(local);
    for (const [kind, prefix] of [
      ['resource', ''],
      ['data', 'data.'],
      ['ephemeral', 'ephemeral.'],
    ] as const)
      for (const [type, named] of Object.entries(parsed[kind] ?? {}))
        for (const [object, [body = {}]] of bodies(named)) objects.set(`${prefix}${type}.${object}`, body);
    for (const body of (parsed.terraform ?? []) as unknown as Body[])
      for (const required of (body.required_providers ?? []) as Body[])
        for (const provider of Object.keys(required)) providers.add(provider);
    // Type expressions look like references.
    const { variable, ...rest } = parsed;
    const validations = bodies(variable).map(([, [body = {}]]) => body.validation);
    references.push(...(await referencesIn(file, [rest, validations])));
  }
  return { folder, files, variables, outputs, locals, objects, calls, providers, references };
}

const bodies = (named: unknown): [string, readonly Body[]][] =>
  Object.entries((named ?? {}) as Record<string, readonly Body[]>);

function variableOf(body: Body): Variable {
  return {
    description: String(body.description ?? ''),
    type: String(body.type ?? '').replace(/^\$\{|\}$/g, ''),
    default: body.default,
    required: !('default' in body),
  };
}

/** Every reference in the expressions of a parsed file. */
async function referencesIn(file: string, value: unknown): Promise<Reference[]> {
  if (typeof value === 'string') {
    if (!value.includes('${')) return [];
    const found = await getReferencesInExpression(file, value);
    return found.map(({ value: to }) => ({ to: to.replaceAll('"', '').split('.'), file }));
  }
  if (typeof value !== 'object' || value === null) return [];
  return (await Promise.all(Object.values(value).map((inner) => referencesIn(file, inner)))).flat();
}
