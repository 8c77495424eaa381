import { accessSync, constants, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import proxyAddr from 'proxy-addr';
import { z } from 'zod';

/** A setting that is wrong, missing or unknown. `message` has a line for each, naming the variable. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** `listenPort` is read from `<PREFIX>LISTEN_PORT`. */
export const variableName = (prefix: string, setting: string): string =>
  prefix + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/**
 * Reads settings from environment variables.
 *
 * Every variable that starts with the prefix must be one that the schema knows. An empty variable counts as not set.
 *
 * @throws SettingsError that names every wrong variable.
 */
export function readSettings<S extends z.ZodObject>(
  schema: S,
  prefix: string,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<z.infer<S>> {
  const settingOf = new Map(Object.keys(schema.shape).map((setting) => [variableName(prefix, setting), setting]));
  const given: Record<string, string> = {};
  const wrong: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || value === undefined || value === '') continue;
    const setting = settingOf.get(variable);
    if (setting === undefined) wrong.push(`${variable} is not a setting. See the configuration table in the README.`);
    else given[setting] = value;
  }
  const parsed = schema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    wrong.push(`${variableName(prefix, String(issue.path[0] ?? ''))}: ${issue.message}`);
  }
  if (!parsed.success || wrong.length > 0) throw new SettingsError(wrong.join('\n'));
  return Object.freeze(parsed.data);
}

/** A row for each setting: variable, default, meaning. Where the default is the machine's, `.meta({ shownDefault })` says what it is. */
export function settingsTable(schema: z.ZodObject, prefix: string): string {
  const rows = Object.entries(schema.shape).map(([setting, type]) => {
    const { description = '', shownDefault } = z.globalRegistry.get(type as z.ZodType) ?? {};
    const fallback = (type as z.ZodType).safeParse(undefined);
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

/** A file that this process may read, or run. It is looked at when the settings are read. */
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

/** A folder that is there when the settings are read. */
export const folder = () =>
  z.string().refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false, 'is no folder');

/** A folder that is there, or can be made where it is named. */
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

/** Whether an address, or the host of a URL, is reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);

/**
 * Why others than this process's user may read a file with a secret; undefined where they may not. The group of a file of root's
 * may read it where that is how this process reads it: it is one of its own, or root checks for the server.
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
