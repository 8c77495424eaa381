import type { SettingTypes } from '@mediasoup-server/server-kit/settings';
import { z } from 'zod';
import { type Config, settingsSchema } from '../settingsSchema.ts';

type Types = SettingTypes<typeof settingsSchema>;
/** Settings by their names, whichever group they are in. */
export type SettingOverrides = { readonly [K in keyof Types]?: z.infer<Types[K]> | undefined };

/** A configuration with other values of some settings. */
export function overrideSettings(config: Config, overrides: SettingOverrides): Config {
  const given = new Map<string, unknown>(Object.entries(overrides));
  const pick = (names: readonly string[]) =>
    Object.fromEntries(names.filter((name) => given.has(name)).map((name) => [name, given.get(name)]));
  const groups = Object.entries(config).map(([name, value]) => {
    const group = settingsSchema.shape[name as keyof Config];
    if (group instanceof z.ZodObject) return [name, { ...(value as object), ...pick(Object.keys(group.shape)) }];
    return [name, given.has(name) ? given.get(name) : value];
  });
  return Object.fromEntries(groups) as Config;
}
