import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Builds the demo page: `vite build client/demo --config client/vite.config.ts`, or `vite build` in this folder. */
export default defineConfig({
  root: fileURLToPath(new URL('demo', import.meta.url)),
  base: './',
  build: {
    outDir: fileURLToPath(new URL('dist/demo', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The one chunk is mediasoup-client, which supports every browser at once.
    chunkSizeWarningLimit: 700,
  },
});
