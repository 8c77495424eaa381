import { globSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Module, readModule } from './Module.ts';

/** All folders with Terraform files, by their paths from the repository's. */
export async function readModules(
  root = fileURLToPath(new URL('../../deploy/terraform', import.meta.url)),
): Promise<Map<string, Module>> {
  const files = globSync(`${root}/{modules,examples}/*/*.tf`);
  const folders = [...new Set(files.map((file) => relative(process.cwd(), dirname(file))))].sort();
  const modules = new Map<string, Module>();
  for (const folder of folders) modules.set(folder, await readModule(folder));
  return modules;
}
