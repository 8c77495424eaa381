import { accessSync, constants, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import proxyAddr from 'proxy-addr';
import { z } from 'zod';

/** Invalid, missing or unknown settings. `message` has a line for each, which names the variable. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** `listenPort` is read from `<PREFIX>LISTEN_PORT`, whichever group it is in. */
export const variableName = (prefix: string, setting: string): string =>
  prefix + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

type Shape = Readonly<Record<string, z.ZodType>>;
type GroupsOf<S extends Shape> = { [K in keyof S as S[K] extends z.ZodObject ? K : never]: S[K] };
type Intersection<U> = (U extends unknown ? (part: U) => void : never) extends (all: infer I) => void ? I : never;
type ShapeOfGroup<G> = G extends z.ZodObject ? G['shape'] : never;

/** The type of each setting of a schema by name, groups resolved. */
export type SettingTypes<S extends z.ZodObject> = Omit<S['shape'], keyof GroupsOf<S['shape']>> &
  Intersection<ShapeOfGroup<GroupsOf<S['shape']>[keyof GroupsOf<S['shape']>]>>;

/** The settings of a schema: complete, grouped and frozen. */
export type Settings<S extends z.ZodObject> = {
  readonly [K in keyof z.infer<S>]: K extends keyof GroupsOf<S['shape']> ? Readonly<z.infer<S>[K]> : z.infer<S>[K];
};

type Location = { readonly type: z.ZodType; readonly group: string | undefined };

function locateSettings(schema: z.ZodObject): Map<string, Location> {
  const found = new Map<string, Location>();
  const add = (setting: string, location: Location) => {
    if (found.has(setting)) throw new Error(`two settings have the name ${setting}`);
    found.set(setting, location);
  };
  for (const [name, type] of Object.entries(schema.shape as Shape)) {
    if (!(type instanceof z.ZodObject)) add(name, { type, group: undefined });
    else for (const [setting, inner] of Object.entries(type.shape as Shape)) add(setting, { type: inner, group: name });
  }
  return found;
}

/**
 * The type of each setting by its name, groups resolved.
 *
 * @throws Error when two groups have a setting of the same name: both would be read from one variable.
 */
export const settingTypes = <S extends z.ZodObject>(schema: S): SettingTypes<S> =>
  Object.fromEntries([...locateSettings(schema)].map(([setting, { type }]) => [setting, type])) as SettingTypes<S>;

/**
 * Reads settings from environment variables.
 *
 * A key of the schema is a setting, or an object schema: a group of settings. The group's name is not part of the variable.
 * Every variable that starts with the prefix must be a setting of the schema. An empty variable counts as not set.
 * A refinement of the whole schema names a setting by the path of its issue: `[group, setting]` or `[setting]`.
 *
 * @throws SettingsError that names every wrong variable.
 */
export function readSettings<S extends z.ZodObject>(
  schema: S,
  prefix: string,
  environment: Readonly<Record<string, string | undefined>>,
): Settings<S> {
  const locations = locateSettings(schema);
  const settingOf = new Map([...locations.keys()].map((setting) => [variableName(prefix, setting), setting]));
  const given: Record<string, unknown> = {};
  for (const { group } of locations.values()) if (group !== undefined) given[group] = {};
  const wrong: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || value === undefined || value === '') continue;
    const setting = settingOf.get(variable);
    const group = locations.get(setting ?? '')?.group;
    if (setting === undefined) wrong.push(`${variable} is not a setting. docs/reference lists all settings.`);
    else Object.assign(group === undefined ? given : (given[group] as object), { [setting]: value });
  }
  const parsed = schema.safeParse(given);
  for (const { path, message } of parsed.error?.issues ?? []) {
    const [first = '', second] = path.map(String);
    const isGroup = schema.shape[first] instanceof z.ZodObject;
    wrong.push(`${variableName(prefix, isGroup && second !== undefined ? second : first)}: ${message}`);
  }
  if (!parsed.success || wrong.length > 0) throw new SettingsError(wrong.join('\n'));
  for (const { group } of locations.values()) if (group !== undefined) Object.freeze(parsed.data[group]);
  return Object.freeze(parsed.data) as Settings<S>;
}

/** The value of each setting by its name, groups resolved. */
export function settingValues(schema: z.ZodObject, settings: object): Readonly<Record<string, unknown>> {
  const values = new Map(Object.entries(settings));
  const withValue = ([setting, { group }]: [string, Location]) => {
    const value = group === undefined ? values.get(setting) : (values.get(group) as Record<string, unknown>)[setting];
    return [setting, value];
  };
  return Object.fromEntries([...locateSettings(schema)].map(withValue));
}

/** A row for each setting: variable, default, meaning. `.meta({ shownDefault })` describes a default that depends on the machine. */
export function settingsTable(schema: z.ZodObject, prefix: string): string {
  const rows = [...locateSettings(schema)].map(([setting, { type }]) => {
    const { description = '', shownDefault } = z.globalRegistry.get(type) ?? {};
    const fallback = type.safeParse(undefined);
    const value = fallback.success ? String(fallback.data ?? '') : '';
    const shown = typeof shownDefault === 'string' ? shownDefault : value && `\`${value}\``;
    return `| \`${variableName(prefix, setting)}\` | ${shown} | ${description.replaceAll('|', '\\|')} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** A whole number from text. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'is not a whole number')
    .transform(Number)
    .pipe(z.int().min(min, `is less than ${min}`).max(max, `is more than ${max}`));

/** A TCP or UDP port from text; 0 lets the system choose one. */
export const port = () => integer(0, 65_535);

/** `true` or `false` from text. */
export const flag = () =>
  z.enum(['true', 'false'], 'is neither "true" nor "false"').transform((text) => text === 'true');

/** A list from text, separated by commas. */
export const list = () =>
  z.string().transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/** A file that this process may read or execute, checked when the settings are read. */
export const file = (access: 'read' | 'run' = 'read') =>
  z.string().superRefine((path, context) => {
    try {
      accessSync(path, access === 'run' ? constants.X_OK : constants.R_OK);
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: `cannot be ${access === 'run' ? 'run' : 'read'}: ${(error as Error).message}`,
      });
    }
  });

/** A folder that exists when the settings are read. */
export const folder = () =>
  z.string().refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false, 'is no folder');

/** A folder that exists or can be created. */
export const dataFolder = () =>
  z.string().refine((path) => {
    let existing = resolve(path);
    for (;;) {
      const found = statSync(existing, { throwIfNoEntry: false });
      if (found) return found.isDirectory();
      existing = dirname(existing);
    }
  }, 'is no folder, and cannot be made one');

/** An address of this machine to listen on. */
export const address = () => z.string().refine((text) => isIP(text) > 0 || text === 'localhost', 'is no IP address');

/** Addresses and networks, from text, separated by commas. */
export const networks = () =>
  list().refine((addresses) => {
    try {
      proxyAddr.compile(addresses);
      return true;
    } catch {
      return false;
    }
  }, 'names what is no IP address or network');

/** Whether only this machine can reach an address, or the host of a URL. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);

/**
 * Why users other than this process's can read a file with a secret; undefined if they cannot. The group of a file of root
 * may read it if this process needs that: it is in the group, or root checks the file on behalf of the server.
 */
export function readableByOthers(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  // A missing file is reported by the check of its setting.
  if (!found) return undefined;
  const { mode, uid, gid } = found;
  const groups = [process.getgid?.(), process.getegid?.(), ...(process.getgroups?.() ?? [])];
  const mayGroupRead = uid === 0 && (process.getuid?.() === 0 || groups.includes(gid));
  if ((mode & (mayGroupRead ? 0o037 : 0o077)) === 0) return undefined;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return `${path} can be read or changed by other users (mode ${shown}); chmod 0600, or 0640 where root owns it and the server reads it by its group`;
}
