import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

export interface BundleOptions {
  /** The folder that the code's own imports start from, as a file URL. */
  readonly from: URL;
  readonly minify?: boolean;
  /** Packages that are left out. */
  readonly external?: readonly string[];
}

/** Bundles a module as an application would, into one script: what is imported of the SDK and not used is left out. */
export async function bundle(code: string, { from, minify = false, external = [] }: BundleOptions): Promise<string> {
  const entry = fileURLToPath(new URL('entry.js', from));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? code : undefined),
      },
    ],
    build: {
      write: false,
      minify: false,
      target: 'es2024',
      lib: { entry, formats: ['es'], fileName: 'bundle' },
      // Vite's own minification leaves the layout of libraries as it is.
      rolldownOptions: { external: [...external], output: { minify } },
    },
  });
  const [output] = built as Rolldown.RolldownOutput[];
  const [chunk] = output?.output ?? [];
  if (!chunk) throw new Error('nothing was bundled');
  return chunk.code;
}
