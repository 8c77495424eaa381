import { createLogger } from '@mediasoup-server/server-kit/logger';
import { SettingsError } from '@mediasoup-server/server-kit/settings';
import { startTracing } from '@mediasoup-server/server-kit/startTracing';
import { endTracing } from '@mediasoup-server/server-kit/tracing';
import { makeTables, startControlPlane } from './app.ts';
import { withSecrets } from './aws/secretSettings.ts';
import { readConfig } from './config.ts';

const [command] = process.argv.slice(2);

try {
  if (command !== undefined && command !== 'tables') {
    throw new SettingsError(`"${command}" is not a command. "tables" creates the tables; without one, the API starts.`);
  }
  const config = readConfig(await withSecrets(process.env));
  const logger = createLogger('control-plane', config.logLevel);
  const die = (error: unknown) => {
    logger.fatal({ err: error }, 'ended by an error that nothing handled');
    process.exit(1);
  };
  process.on('uncaughtException', die).on('unhandledRejection', die);

  if (command === 'tables') {
    await makeTables(config, { logger });
  } else {
    await startTracing('control-plane', logger);
    const controlPlane = await startControlPlane(config, { logger });
    let stopping = false;
    const stop = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(1);
      stopping = true;
      logger.info({ signal }, 'stopping');
      controlPlane
        .close()
        .then(endTracing)
        .then(() => process.exit(0), die);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  }
} catch (error) {
  process.stderr.write(`control plane: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
