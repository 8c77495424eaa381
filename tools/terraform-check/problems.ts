import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { format } from '@cdktn/hcl-tools';
import { type AwsSchema, schemaProblems } from './awsSchema.ts';
import type { Module } from './Module.ts';
import { callProblems, declarationProblems, referenceProblems } from './references.ts';
import { instanceProblems, instanceSettings, settingProblems, tableProblems } from './settings.ts';

/** All problems of the modules and examples that can be found without Terraform, a line each. */
export async function findProblems(modules: ReadonlyMap<string, Module>): Promise<string[]> {
  const schema = JSON.parse(await readFile(new URL('awsSchema.json', import.meta.url), 'utf8')) as AwsSchema;
  const problems: string[] = [];
  for (const module of modules.values()) {
    for (const [name, text] of module.files)
      if ((await format(text)) !== text)
        problems.push(`${join(module.folder, name)}: is not formatted as terraform fmt does`);
    problems.push(...referenceProblems(module, modules), ...callProblems(module, modules));
    problems.push(...declarationProblems(module), ...schemaProblems(module, schema));
    const texts = new Map([...module.files].map(([name, text]) => [join(module.folder, name), text]));
    problems.push(...settingProblems(texts));
    if (basename(module.folder) === 'control-plane') problems.push(...tableProblems(module));
    if (basename(module.folder) === 'media-daemons') problems.push(...(await findInstanceProblems(module)));
  }
  return [...problems, ...unexercised(modules)];
}

async function findInstanceProblems({ folder, files }: Module): Promise<string[]> {
  const names = ['mediasoup-instance.sh', 'user-data.sh.tftpl'].map((name) => join(folder, 'files', name));
  const [script = '', userData = ''] = await Promise.all(names.map((name) => readFile(name, 'utf8')));
  const problems = instanceProblems(script, files.get('main.tf') ?? '');
  try {
    instanceSettings(script);
  } catch (error) {
    problems.push((error as Error).message);
  }
  for (const name of names) {
    const { status, stderr } = spawnSync('bash', ['-n', name], { encoding: 'utf8' });
    if (status !== 0) problems.push(stderr);
  }
  const filled = [...userData.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
  const given = /templatefile\([^{]*\{([\s\S]*?)\n {2}\}\)/.exec(files.get('main.tf') ?? '')?.[1] ?? '';
  for (const name of filled)
    if (!new RegExp(`^\\s+${name}\\s+=`, 'm').test(given)) problems.push(`user data is not given ${name}`);
  return problems.map((what) => `${folder}: ${what}`);
}

/** Each module must be used in an example, so that planning the examples tries all modules. */
function unexercised(modules: ReadonlyMap<string, Module>): string[] {
  const called = [...modules.values()]
    .filter(({ folder }) => folder.includes('examples/'))
    .flatMap(({ calls }) => [...calls.values()].map(({ source }) => basename(String(source))));
  return [...modules.keys()]
    .filter((folder) => folder.includes('modules/') && !called.includes(basename(folder)))
    .map((folder) => `${folder}: no example has it`);
}
