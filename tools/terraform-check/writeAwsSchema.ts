import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AwsSchema, BlockSchema } from './awsSchema.ts';
import { readModules } from './readModules.ts';

/*
 * Writes the arguments of the modules' AWS resources, read from the bindings in the npm package `@cdktf/provider-aws`. The
 * package is 400 MB large and therefore not a dependency:
 * `npm install --prefix SCRATCH --ignore-scripts @cdktf/provider-aws`, then
 * `node tools/terraform-check/writeAwsSchema.ts SCRATCH/node_modules/@cdktf/provider-aws`.
 */

const folder = String(process.argv[2]);
const readme = await readFile(join(folder, 'README.md'), 'utf8');
const version = /hashicorp\/aws provider version ([\d.]+)/.exec(readme)?.[1] ?? 'unknown';
const used = new Set<string>();
for (const module of (await readModules()).values())
  for (const address of module.objects.keys()) used.add(address.replace(/\.[^.]+$/, ''));
const types: Record<string, BlockSchema> = {};
for (const type of [...used].filter((name) => /^(data\.)?aws_/.test(name)).sort()) types[type] = await readType(type);
const schema: AwsSchema = { version, types };
await writeFile(new URL('awsSchema.json', import.meta.url), `${JSON.stringify(schema)}\n`);

async function readType(type: string): Promise<BlockSchema> {
  const name = type.replace('data.aws_', 'data-aws-').replace(/^aws_/, '').replaceAll('_', '-');
  const text = await readFile(join(folder, 'lib', name, 'index.d.ts'), 'utf8');
  const config = /export interface (\w+Config) extends cdktf\.TerraformMetaArguments/.exec(text)?.[1] ?? '';
  const whole = text.slice(text.lastIndexOf('export declare class'));
  const read = [...whole.matchAll(/^ {4}get (\w+)\(\)/gm)].map(([, camel = '']) => snake(camel));
  const schema = readBlock(text, config);
  const attributes = new Set([
    ...read.filter((attribute) => !attribute.endsWith('_input')),
    ...Object.keys(schema.arguments),
  ]);
  return { arguments: schema.arguments, attributes: [...attributes].sort() };
}

/** Reads an interface of the bindings. The comment of each member ends with Terraform's name for it. */
function readBlock(text: string, name: string): BlockSchema {
  const start = text.indexOf(`export interface ${name} `);
  const body = start < 0 ? '' : text.slice(start, text.indexOf('\n}', start));
  const members = [...body.matchAll(/#(\w+) [\w#]+\}(?:(?!readonly)[\s\S])*?readonly (\w+)(\??): ([^;]+);/g)];
  const found = members.map(([, argument = '', , optional, type = '']) => {
    const inner = /^([A-Z]\w+)(\[\])?( \| cdktf\.IResolvable)?$/.exec(type.trim())?.[1];
    const isBlock = inner !== undefined && text.includes(`export interface ${inner} `);
    return [
      argument,
      { ...(optional === '' && { required: true as const }), ...(isBlock && { block: readBlock(text, inner) }) },
    ];
  });
  return { arguments: Object.fromEntries(found), attributes: [] };
}

function snake(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
