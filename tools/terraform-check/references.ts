import { relative, resolve } from 'node:path';
import type { Module } from './Module.ts';

/** Names that Terraform itself defines, besides loop variables. */
const OF_TERRAFORM = new Set(['each', 'self', 'path', 'count', 'terraform']);
/** The meta-arguments of a module call. */
const OF_CALLS = new Set(['source', 'providers', 'depends_on', 'count', 'for_each']);

/** @returns a line for each reference without a declaration, and for each unused declaration. */
export function referenceProblems(module: Module, others: ReadonlyMap<string, Module>): string[] {
  const problems: string[] = [];
  const used = new Set<string>();
  for (const { to, file } of module.references) {
    const [root = '', name = '', member = ''] = to;
    const missing = () => problems.push(`${file}: ${to.slice(0, 3).join('.')} is not declared`);
    if (root === 'var') {
      used.add(`var.${name}`);
      if (!module.variables.has(name)) missing();
    } else if (root === 'local') {
      used.add(`local.${name}`);
      if (!module.locals.has(name)) missing();
    } else if (root === 'module') {
      const call = module.calls.get(name);
      if (!call) missing();
      else if (member && !others.get(folderOf(module, call))?.outputs.has(member)) missing();
    } else if (root === 'data' || root === 'ephemeral') {
      used.add(`${root}.${name}.${member}`);
      if (!module.objects.has(`${root}.${name}.${member}`)) missing();
    } else if ([...module.providers].some((provider) => root.startsWith(`${provider}_`))) {
      if (!module.objects.has(`${root}.${name}`)) missing();
    } else if (!OF_TERRAFORM.has(root) && !isLoopVariable(root, module)) missing();
  }
  const declared = [
    ...[...module.variables.keys()].map((name) => `var.${name}`),
    ...[...module.locals].map((name) => `local.${name}`),
    ...[...module.objects.keys()].filter((address) => /^(data|ephemeral)\./.test(address)),
  ];
  for (const name of declared) if (!used.has(name)) problems.push(`${module.folder}: nothing refers to ${name}`);
  return problems;
}

/** @returns a line for each unknown input of a module call, and for each missing required one. */
export function callProblems(module: Module, others: ReadonlyMap<string, Module>): string[] {
  return [...module.calls].flatMap(([name, call]) => {
    const called = others.get(folderOf(module, call));
    if (!called) return [`${module.folder}: module ${name} has no source here: ${String(call.source)}`];
    const given = Object.keys(call).filter((input) => !OF_CALLS.has(input));
    const needed = [...called.variables].filter(([, { required }]) => required).map(([input]) => input);
    return [
      ...given.filter((input) => !called.variables.has(input)).map((input) => `has no input ${input}`),
      ...needed.filter((input) => !given.includes(input)).map((input) => `is not given ${input}`),
    ].map((what) => `${module.folder}: module ${name} ${what}`);
  });
}

/** @returns a line for each variable, output and provider without description, type or version. */
export function declarationProblems(module: Module): string[] {
  const undescribed = [
    ...[...module.variables].filter(([, { description }]) => !description).map(([name]) => `variable ${name}`),
    ...[...module.outputs].filter(([, { description }]) => !description).map(([name]) => `output ${name}`),
  ].map((what) => `${what} has no description`);
  const untyped = [...module.variables].filter(([, { type }]) => !type).map(([name]) => `variable ${name} has no type`);
  const types = [...module.objects.keys()].map((address) => address.replace(/^(data|ephemeral)\./, ''));
  const needed = new Set(types.map((type) => type.split('_')[0] ?? ''));
  const unrequired = [...needed]
    .filter((provider) => !module.providers.has(provider))
    .map((name) => `provider ${name} is not required`);
  return [...undescribed, ...untyped, ...unrequired].map((what) => `${module.folder}: ${what}`);
}

/** The folder of a called module, as the key of the modules' map. */
function folderOf(module: Module, { source }: Readonly<Record<string, unknown>>): string {
  return relative(process.cwd(), resolve(module.folder, String(source)));
}

/** The variables of `for` expressions and of dynamic blocks. */
function isLoopVariable(name: string, { files }: Module): boolean {
  const loop = new RegExp(`\\bfor\\s+(\\w+,\\s*)?${name}(,\\s*\\w+)?\\s+in\\b|\\bdynamic\\s+"${name}"`);
  return [...files.values()].some((text) => loop.test(text));
}
