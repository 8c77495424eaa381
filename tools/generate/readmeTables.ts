import { readFile, writeFile } from 'node:fs/promises';
import { commandsTable } from '@mediasoup-server/cli/commandsTable';
import { metricsTable } from '@mediasoup-server/server-kit/metrics';
import { settingsTable } from '@mediasoup-server/server-kit/settings';
import * as controlPlane from '../../control-plane/src/config.ts';
import { createMetrics as controlPlaneMetrics } from '../../control-plane/src/metrics.ts';
import * as mediaDaemon from '../../media-daemon/src/config.ts';
import { createMetrics as mediaDaemonMetrics } from '../../media-daemon/src/telemetry/metrics.ts';

/** Writes the tables of the README: of settings, metrics and commands, each from what defines them. */

const readme = new URL('../../README.md', import.meta.url);
const tables = {
  'settings:control-plane': settingsTable(controlPlane.settingsSchema, controlPlane.PREFIX),
  'settings:media-daemon': settingsTable(mediaDaemon.settingsSchema, mediaDaemon.PREFIX),
  'metrics:control-plane': metricsTable(controlPlaneMetrics().registry, 'control_plane_'),
  'metrics:media-daemon': metricsTable(mediaDaemonMetrics().registry, 'media_daemon_'),
  commands: commandsTable(),
};

let text = await readFile(readme, 'utf8');
for (const [name, table] of Object.entries(tables)) {
  const between = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`);
  if (!between.test(text)) throw new Error(`README.md has no place for ${name}`);
  text = text.replace(between, (_all, start: string, end: string) => `${start}${table}\n${end}`);
}
await writeFile(readme, text);
