import { readSettings, SettingsError } from '@mediasoup-server/server-kit/settings';
import { checkConfig } from './checkConfig.ts';
import { type Config, PREFIX, settingsSchema } from './settingsSchema.ts';

export { type Config, PREFIX, settingsSchema };

/**
 * Reads the settings from environment variables and checks them against each other.
 *
 * @throws SettingsError that names every wrong variable.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const config = readSettings(settingsSchema, PREFIX, environment);
  const wrong = checkConfig(config);
  if (wrong.length > 0) throw new SettingsError(wrong.join('\n'));
  return config;
}
