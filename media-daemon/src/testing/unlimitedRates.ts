import { settingTypes, variableName } from '@mediasoup-server/server-kit/settings';
import { PREFIX, settingsSchema } from '../config.ts';

/** Settings, as in the environment, that lift every rate limit: for tests that send more than a client may. */
export const unlimitedRates: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(settingTypes(settingsSchema))
    .filter((setting) => /(PerSecond|Burst)$/.test(setting))
    .map((setting) => [variableName(PREFIX, setting), /Bytes/.test(setting) ? '1000000000' : '1000000']),
);
