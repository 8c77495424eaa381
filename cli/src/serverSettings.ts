import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import * as controlPlane from '@mediasoup-server/control-plane/config';
import { withSecrets } from '@mediasoup-server/control-plane/secret-settings';
import * as mediaDaemon from '@mediasoup-server/media-daemon/config';
import { settingTypes, settingValues, variableName } from '@mediasoup-server/server-kit/settings';
import { z } from 'zod';
import { CliError } from './CliError.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The two servers, by the names that operators use. */
export const serverNames = ['control-plane', 'media-daemon'] as const;
export type ServerName = (typeof serverNames)[number];

/** A setting and its value. */
export type EffectiveSetting = {
  readonly variable: string;
  /** As in the environment; `(hidden)` for a secret, absent if it has no value. */
  readonly value?: string;
  readonly from: 'environment' | 'default';
};

const schemas = {
  'control-plane': [controlPlane.PREFIX, controlPlane.settingsSchema],
  'media-daemon': [mediaDaemon.PREFIX, mediaDaemon.settingsSchema],
} as const;

/**
 * The environment that a command reads settings from: this process's own, overridden by the file if one is named.
 *
 * @throws CliError when it cannot be read.
 */
export async function readEnvironment(environment: Environment, file: string | undefined): Promise<Environment> {
  if (file === undefined) return environment;
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new CliError(`cannot read the environment file: ${error.message}`);
  });
  return { ...environment, ...parseEnv(text) };
}

/** @throws SettingsError that names every wrong variable. */
export const readMediaDaemon = (environment: Environment): mediaDaemon.DaemonConfig =>
  mediaDaemon.readConfig(environment);

/** @throws SettingsError that names every wrong variable. */
export const readControlPlane = async (environment: Environment): Promise<controlPlane.Config> =>
  controlPlane.readConfig(await withSecrets(environment));

/**
 * Every setting of a server with its value.
 *
 * @throws SettingsError that names every wrong variable.
 */
export async function effectiveSettings(server: ServerName, environment: Environment): Promise<EffectiveSetting[]> {
  const [prefix, schema] = schemas[server];
  const values = settingValues(
    schema,
    server === 'control-plane' ? await readControlPlane(environment) : readMediaDaemon(environment),
  );
  return Object.entries<z.ZodType>(settingTypes<z.ZodObject>(schema)).map(([setting, type]) => {
    const variable = variableName(prefix, setting);
    const value = values[setting];
    const { secret = false } = z.globalRegistry.get(type) ?? {};
    return {
      variable,
      ...(value !== undefined && { value: secret && !isEmpty(value) ? '(hidden)' : inEnvironment(value) }),
      from: (environment[variable] ?? '') === '' ? 'default' : 'environment',
    };
  });
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const inEnvironment = (value: unknown): string =>
  Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.join(',') : String(value);
