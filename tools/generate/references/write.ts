import { readFile } from 'node:fs/promises';
import { commandsTable } from '@mediasoup-server/cli/commandsTable';
import { metricsTable } from '@mediasoup-server/server-kit/metrics';
import { settingsTable } from '@mediasoup-server/server-kit/settings';
import { z } from 'zod';
import * as controlPlane from '../../../control-plane/src/config.ts';
import { createMetrics as controlPlaneMetrics } from '../../../control-plane/src/metrics.ts';
import * as mediaDaemon from '../../../media-daemon/src/config.ts';
import { createMetrics as mediaDaemonMetrics } from '../../../media-daemon/src/telemetry/metrics.ts';
import { errorsTable } from './errors.ts';
import { grpcValues } from './grpc.ts';
import { httpValues } from './http.ts';
import { writePage } from './page.ts';

const acronyms: Readonly<Record<string, string>> = { http: 'HTTP', grpc: 'gRPC', ice: 'ICE', rtc: 'RTC', tls: 'TLS' };

/** Writes the pages of docs/reference, each from the code that defines what it lists. */

await writePage('control-plane-settings', {
  settings: settingsTables(controlPlane.settingsSchema, controlPlane.PREFIX),
});
await writePage('media-daemon-settings', {
  settings: settingsTables(mediaDaemon.settingsSchema, mediaDaemon.PREFIX),
});
await writePage('metrics', {
  controlPlane: metricsTable(controlPlaneMetrics().registry, 'control_plane_'),
  mediaDaemon: metricsTable(mediaDaemonMetrics().registry, 'media_daemon_'),
});
await writePage('errors', { errors: errorsTable() });
await writePage('cli', { commands: commandsTable() });
await writePage('http', httpValues());
await writePage('grpc', grpcValues());

await writePage('sdk', { reference: await sdkReference() });

/** A table of the settings that are in no group, then a section for each group. */
function settingsTables(schema: z.ZodObject, prefix: string): string {
  const members: [name: string, type: unknown][] = Object.entries(schema.shape);
  const single = Object.fromEntries(members.filter(([, type]) => !(type instanceof z.ZodObject)));
  const sections = members.flatMap(([name, type]) =>
    type instanceof z.ZodObject ? [`## ${titleOf(name)}`, type.description, settingsTable(type, prefix)] : [],
  );
  const first = Object.keys(single).length > 0 && settingsTable(z.object(single as z.ZodRawShape), prefix);
  return [first, ...sections].filter(Boolean).join('\n\n');
}

/** The name of a group as a heading: `assignmentKeys` is "Assignment keys". */
function titleOf(group: string): string {
  const words = group.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return acronyms[group] ?? `${words[0]?.toUpperCase()}${words.slice(1)}`;
}

/**
 * typedoc's page without its heading. typedoc links to `#roomstate-1`, since it takes the property `Room.state` for a heading of
 * the same name; such a link is mended when there is one heading of that name.
 */
async function sdkReference(): Promise<string> {
  const page = await readFile(new URL('../../../client/dist/reference/API.md', import.meta.url), 'utf8');
  const headings = [...page.matchAll(/^#+ (\w+)$/gm)].map(([, name = '']) => name.toLowerCase());
  const isOnly = (name: string) => headings.filter((heading) => heading === name).length === 1;
  return page
    .replace(/^# .*\n/, '')
    .replace(/\(#(\w+)-1\)/g, (link, name: string) => (isOnly(name) ? `(#${name})` : link))
    .trim();
}
