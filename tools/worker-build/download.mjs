// Downloads the mediasoup-worker that mediasoup's authors have built for this platform, as the package's own install
// script would, but gives up sooner where it cannot be reached and never builds anything.
//
//   node download.mjs MEDIASOUP_DIRECTORY OUTPUT_FILE.tgz
//
// Prints why not and dies when it fails. Runs on Node 20, which may be all there is when this is needed.
import { writeSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { arch, platform, release } from 'node:os';
import { join } from 'node:path';

/** How long the server may take to answer, in milliseconds, redirects and name resolution included. */
const ANSWER_TIMEOUT = 8_000;

const [directory, output] = process.argv.slice(2);
const { version, repository } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
const base =
  process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ||
  `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
const kernel = platform() === 'linux' ? `-kernel${release().split('.')[0]}` : '';
const url = `${base}/${version}/mediasoup-worker-${version}-${platform()}-${arch()}${kernel}.tgz`;

function giveUp(reason) {
  writeSync(1, `${url}: ${reason}\n`);
  // A name resolution that hangs would hold up an ordinary exit.
  process.kill(process.pid, 'SIGKILL');
}

const timer = setTimeout(giveUp, ANSWER_TIMEOUT, `no answer in ${ANSWER_TIMEOUT / 1000} s`);

try {
  const response = await fetch(url);
  clearTimeout(timer);
  if (!response.ok) {
    throw new Error(`answered ${response.status}`);
  }
  await writeFile(output, Buffer.from(await response.arrayBuffer()));
} catch (error) {
  giveUp(error.cause?.code ?? error.cause?.message ?? error.message);
}
