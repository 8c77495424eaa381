import { readSettings, SettingsError } from '@mediasoup-server/server-kit/settings';
import { checkConfig } from './checkConfig.ts';
import { type DaemonConfig, PREFIX, settingsSchema } from './settingsSchema.ts';

export { type DaemonConfig, PREFIX, settingsSchema };

/**
 * Reads the settings from environment variables and checks them against each other.
 *
 * @throws SettingsError that names every wrong variable.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): DaemonConfig {
  const config = readSettings(settingsSchema, PREFIX, environment);
  const wrong = checkConfig(config);
  if (wrong.length > 0) throw new SettingsError(wrong.join('\n'));
  return config;
}
