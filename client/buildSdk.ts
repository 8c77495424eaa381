import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { bundle } from './bundle.ts';

/** What pages load of the SDK: a name, the code that uses it, and what comes from elsewhere. */
const uses = [
  ['everything, with mediasoup-client', "export * from './src/index.ts';", []],
  ['everything but mediasoup-client', "export * from './src/index.ts';", ['mediasoup-client']],
  ['`Room` without mediasoup-client', "export { Room } from './src/index.ts';", ['mediasoup-client']],
  ['`openDevice` and `listDevices` alone', "export { listDevices, openDevice } from './src/index.ts';", []],
] as const;

/** Builds the SDK into a folder as one ES module, and prints what pages load, as a table. */
async function buildSdk(folder: URL): Promise<void> {
  const from = new URL('./', import.meta.url);
  await mkdir(folder, { recursive: true });
  const rows = ['| of the SDK | minified | gzip |', '| --- | --- | --- |'];
  for (const [name, code, external] of uses) {
    const script = await bundle(code, { from, external, minify: true });
    if (name === uses[0][0]) await writeFile(new URL('mediasoup-server-client.js', folder), script);
    rows.push(`| ${name} | ${kilobytes(script.length)} | ${kilobytes(gzipSync(script).length)} |`);
  }
  process.stdout.write(`${rows.join('\n')}\n`);
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

await buildSdk(new URL('dist/sdk/', import.meta.url));
