import { cp, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { productionPackages } from './productionPackages.ts';

/** Copies the sources and production packages of the servers and the CLI into a relocatable folder. Node strips the types at run time. */

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('usage: copyProgram.ts FOLDER');
const root = fileURLToPath(new URL('../..', import.meta.url));
const lockfile = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));

/** Tests are left out, and the worker's sources, since the package has its binary. */
const isLeftOut = (path: string): boolean =>
  /\/node_modules\/mediasoup\/worker$|\.(test|bench|simulation)\.ts$|\/src\/testing$|\.map$/.test(path);

for (const folder of productionPackages(lockfile, ['control-plane', 'media-daemon', 'cli'])) {
  const from = join(root, folder);
  // Optional packages of other platforms are not installed.
  if (!(await stat(from).catch(() => undefined))) continue;
  const isOurs = !folder.startsWith('node_modules/');
  const parts = isOurs ? ['package.json', 'src'] : ['.'];
  for (const part of parts) {
    await cp(join(from, part), join(target, folder, part), {
      recursive: true,
      filter: (path) => !isLeftOut(path) && (path === from || basename(path) !== 'node_modules'),
    });
  }
  if (!isOurs) continue;
  const { name } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'));
  const link = join(target, 'node_modules', name);
  await mkdir(dirname(link), { recursive: true });
  await symlink(relative(dirname(link), join(target, folder)), link);
}
