import { readdirSync, readFileSync } from 'node:fs';
import type { DefaultTheme } from 'vitepress';

const docs = new URL('..', import.meta.url);

/** The folders, each with its pages in the order of reading; a page that is not listed stands last. */
const order: Readonly<Record<string, readonly string[]>> = {
  guide: ['quick-start', 'browser-sdk', 'bare-clients', 'access-tokens', 'turn', 'backends', 'webhooks'],
  operate: [
    'install',
    'bare-metal',
    'containers',
    'aws',
    'upgrade',
    'sizing',
    'runbook',
    'alerts',
    'health',
    'logs-and-traces',
    'benchmarks',
    'long-runs',
  ],
  reference: [
    'control-plane-settings',
    'media-daemon-settings',
    'metrics',
    'errors',
    'cli',
    'signaling',
    'http',
    'grpc',
    'sdk',
  ],
  design: ['assignment', 'rooms-and-links', 'signaling-rules'],
};

/** The sidebar, with the first heading of each page. */
export const sidebar: DefaultTheme.SidebarItem[] = Object.entries(order).map(([folder, listed]) => {
  const there = readdirSync(new URL(`${folder}/`, docs)).map((file) => file.replace(/\.md$/, ''));
  const position = (name: string) => (listed.includes(name) ? listed.indexOf(name) : listed.length);
  const names = there.sort((a, b) => position(a) - position(b));
  return {
    text: `${folder[0]?.toUpperCase()}${folder.slice(1)}`,
    items: names.map((name) => ({ text: titleOf(`${folder}/${name}.md`), link: `/${folder}/${name}` })),
  };
});

function titleOf(page: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(new URL(page, docs), 'utf8')) ?? [];
  if (title === undefined) throw new Error(`docs/${page} has no heading`);
  return title;
}
