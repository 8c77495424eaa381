import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingTypes, variableName } from '@mediasoup-server/server-kit/settings';
import * as controlPlane from '../../control-plane/src/config.ts';
import { TABLES, TTL_ATTRIBUTE } from '../../control-plane/src/store/createTables.ts';
import * as mediaDaemon from '../../media-daemon/src/config.ts';
import type { Body, Module } from './Module.ts';

/** Example values of what an instance knows about itself. */
const ofInstance: Readonly<Record<string, string>> = {
  AVAILABILITY_ZONE: 'eu-central-1a',
  HOST: 'i-0123456789abcdef0.media.example.com',
  INSTANCE_ID: 'i-0123456789abcdef0',
  PRIVATE_IP: '10.40.0.7',
  PUBLIC_IP: '192.0.2.7',
  REGION: 'eu-central-1',
  PORT: '443',
  GRPC_PORT: '50051',
  RTC_PORT: '40000',
  WORKERS: '2',
  CONTROL_PLANE: 'https://rtc.example.com',
  url: 'wss://i-0123456789abcdef0.media.example.com',
  daemon_key: 'a key of sixteen characters or more',
  '((DRAIN_SECONDS * 1000))': '600000',
};

/** @returns a line for each setting that a file names and that does not exist. */
export function settingProblems(texts: ReadonlyMap<string, string>): string[] {
  const names = new Set(
    [controlPlane, mediaDaemon].flatMap(({ settingsSchema, PREFIX }) =>
      Object.keys(settingTypes(settingsSchema)).map((setting) => variableName(PREFIX, setting)),
    ),
  );
  return [...texts].flatMap(([file, text]) => {
    const named = new Set(text.match(/\b(CONTROL_PLANE|MEDIA_DAEMON)_[A-Z0-9]\w*/g));
    return [...named].filter((name) => !names.has(name)).map((name) => `${file}: there is no setting ${name}`);
  });
}

/**
 * Reads the settings that an instance writes for its daemon, with the daemon's own reader.
 *
 * @throws SettingsError when the daemon would not start with them; Error when a value is not in the example above.
 */
export function instanceSettings(script: string): ReturnType<typeof mediaDaemon.readConfig> {
  // The settings are read where their files are.
  const tls = mkdtempSync(join(tmpdir(), 'tls-'));
  for (const file of ['cert.pem', 'key.pem']) writeFileSync(join(tls, file), '', { mode: 0o600 });
  const known: typeof ofInstance = { ...ofInstance, TLS: tls };
  const lines = /<<END\n(MEDIA_DAEMON_[\s\S]*?)\nEND\n/.exec(script)?.[1]?.split('\n') ?? [];
  try {
    const environment = lines.map((line) => {
      const [name = '', value = ''] = line.split(/=(.*)/s);
      const filled = value.replace(/\$(\(\(.*?\)\)|\w+)/g, (_all, of: string) => {
        const found = known[of];
        if (found === undefined) throw new Error(`${name}: no instance knows ${of}`);
        return found;
      });
      return [name, filled];
    });
    return mediaDaemon.readConfig(Object.fromEntries(environment));
  } finally {
    rmSync(tls, { recursive: true });
  }
}

/** @returns a line for each template variable that Terraform sets and the script does not use, or the reverse. */
export function instanceProblems(script: string, main: string): string[] {
  const given = new Set(
    /instance_settings = \{\n([\s\S]*?)\n {2}\}/
      .exec(main)?.[1]
      ?.match(/^\s+([A-Z_]+)(?=\s+=)/gm)
      ?.map((name) => name.trim()),
  );
  const own = new Set([...script.matchAll(/^\s*(?:readonly |export )?([A-Z_]+)=/gm)].map(([, name]) => name));
  const code = script.replace(/^\s*#.*$/gm, '');
  const used = new Set([...code.matchAll(/\$(?:\{|\(\()?([A-Z][A-Z_]+)/g)].map(([, name]) => name));
  for (const [, name] of code.matchAll(/\(\((?:[^)]*?)\b([A-Z_]{3,})/g)) used.add(name);
  return [
    ...[...used]
      .filter((name) => name && !given.has(name) && !own.has(name))
      .map((name) => `${name} is not given to instances`),
    ...[...given].filter((name) => !used.has(name)).map((name) => `${name} is given to instances, which do not use it`),
  ];
}

/** @returns a line for each table that differs from what the control plane itself creates, or whose items do not expire. */
export function tableProblems(module: Module): string[] {
  return Object.entries(TABLES).flatMap(([label, keys]) => {
    const table = module.objects.get(`aws_dynamodb_table.${label}`);
    const names = Object.fromEntries(Object.entries(keys).map(([name, kind]) => [kind, name]));
    const wanted = {
      hash_key: names.HASH,
      range_key: names.RANGE,
      ttl: TTL_ATTRIBUTE,
      name: `\${local.table_prefix}${label}`,
    };
    const [ttl] = (table?.ttl ?? []) as Body[];
    const found = { ...table, ttl: ttl?.attribute_name } as Readonly<Record<string, unknown>>;
    return Object.entries(wanted)
      .filter(([name, value]) => found[name] !== value)
      .map(([name, value]) => `${join(module.folder, 'tables.tf')}: ${label}: ${name} is not ${value}`);
  });
}
