import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/**
 * Bundles the control plane for AWS Lambda: `index.mjs`, whose `handler` takes API Gateway events, and what it loads.
 *
 * @returns the bytes of each file, by its path from the folder.
 */
export async function bundleLambda(folder: string): Promise<Map<string, number>> {
  const { metafile } = await build({
    entryPoints: [{ in: fileURLToPath(new URL('lambda.ts', import.meta.url)), out: 'index' }],
    outdir: folder,
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    // The embedded store is for one machine, and so is left out, with the chunk that would load it.
    splitting: true,
    external: ['dynalite'],
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    // Packages that are not modules call `require`.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    metafile: true,
    logLevel: 'warning',
  });
  return new Map(Object.entries(metafile.outputs).map(([path, { bytes }]) => [path, bytes]));
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? 'deploy/lambda/dist');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const files = [...(await bundleLambda(folder)).keys()];
  const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
  const zipped = gzipSync(Buffer.concat(contents), { level: 9 }).length;
  process.stdout.write(`${folder}: ${files.length} files, ${Math.round(zipped / 1024)} KiB compressed\n`);
}
