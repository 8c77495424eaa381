import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile, type Plugin } from 'esbuild';

/** Modules that a function never loads: the embedded store, and the sources of AWS credentials other than the environment. */
const elsewhere = [
  './embeddedDynamo.ts',
  './createTables.ts',
  ...['ini', 'sso', 'process', 'web-identity', 'http'].map((kind) => `@aws-sdk/credential-provider-${kind}`),
];

/** Parts of packages that no request reaches: a quarter of the bundle, which each cold start would parse. */
const unreached: Plugin = {
  name: 'unreached',
  setup({ onLoad }) {
    // body-parser accepts JSON in UTF-8, 16 and 32 alone.
    onLoad({ filter: /\/iconv-lite\/encodings\/(tables\/[^/]+\.json|sbcs-data.*\.js)$/ }, ({ path }) => ({
      contents: path.endsWith('.json') ? '[]' : '',
      loader: path.endsWith('.json') ? 'json' : 'js',
    }));
    // No static file has a vendor's media type.
    onLoad({ filter: /\/mime-db\/db\.json$/ }, async ({ path }) => ({
      contents: JSON.stringify(JSON.parse(await readFile(path, 'utf8')), (type, value) =>
        /^(application|audio|video|model)\/(vnd\.|x-)/.test(type) ? undefined : value,
      ),
      loader: 'json',
    }));
    // Messages are in English.
    onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

export type Bundle = {
  readonly files: readonly string[];
  /** Bytes of all files, compressed together. */
  readonly compressed: number;
  /** The source files of `index.mjs` and its chunks: all of them, and those that a cold start loads. */
  readonly modules: { readonly all: readonly string[]; readonly atStart: readonly string[] };
};

/**
 * Bundles the control plane for AWS Lambda: `index.mjs` with its chunks, whose `handler` takes API Gateway events, and
 * `rotateKeys.mjs`, whose `handler` rotates the assignment keys.
 */
export async function bundleLambda(folder: string): Promise<Bundle> {
  // Dynamic imports become chunks.
  const { outputs, inputs } = await bundle(folder, 'lambda.ts', { out: 'index', splitting: true });
  const rotation = await bundle(folder, 'aws/rotateKeys.ts', { out: 'rotateKeys', splitting: false });
  const files = [...Object.keys(outputs), ...Object.keys(rotation.outputs)];
  const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
  const compressed = gzipSync(Buffer.concat(contents), { level: 9 }).length;
  return { files, compressed, modules: { all: Object.keys(inputs), atStart: loadedAtStart(outputs) } };
}

async function bundle(folder: string, source: string, { out, splitting }: { out: string; splitting: boolean }) {
  const { metafile } = await build({
    entryPoints: [{ in: fileURLToPath(new URL(`../../control-plane/src/${source}`, import.meta.url)), out }],
    outdir: folder,
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    splitting,
    external: [...elsewhere],
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Prefers ES modules, which can be tree-shaken.
    mainFields: ['module', 'main'],
    plugins: [unreached],
    outExtension: { '.js': '.mjs' },
    // CommonJS packages call `require`.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/** The inputs of the entry and of its static imports, transitively. */
function loadedAtStart(outputs: Metafile['outputs']): string[] {
  const loaded = new Set(['index.mjs']);
  for (const file of loaded)
    for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') loaded.add(path);
  return [...loaded].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? 'deploy/lambda/dist');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { files, compressed } = await bundleLambda(folder);
  process.stdout.write(`${folder}: ${files.length} files, ${Math.round(compressed / 1024)} KiB compressed\n`);
}
