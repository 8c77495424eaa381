import { readFile, writeFile } from 'node:fs/promises';
import { settingsTable } from '@mediasoup-server/process/settings';
import * as controlPlane from '../../control-plane/src/config.ts';
import * as mediaDaemon from '../../media-daemon/src/config.ts';

/** Writes the configuration tables of the README from the settings' schemas. */

const readme = new URL('../../README.md', import.meta.url);
const tables = {
  'control-plane': settingsTable(controlPlane.settingsSchema, controlPlane.PREFIX),
  'media-daemon': settingsTable(mediaDaemon.settingsSchema, mediaDaemon.PREFIX),
};

let text = await readFile(readme, 'utf8');
for (const [name, table] of Object.entries(tables)) {
  const between = new RegExp(`(<!-- settings:${name} -->\n)[^]*?(<!-- end -->)`);
  if (!between.test(text)) throw new Error(`README.md has no place for the settings of ${name}`);
  text = text.replace(between, (_all, start: string, end: string) => `${start}${table}\n${end}`);
}
await writeFile(readme, text);
