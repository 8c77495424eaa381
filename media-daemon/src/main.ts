import { createLogger } from '@mediasoup-server/server-kit/logger';
import { SettingsError } from '@mediasoup-server/server-kit/settings';
import { startTracing } from '@mediasoup-server/server-kit/startTracing';
import { endTracing } from '@mediasoup-server/server-kit/tracing';
import { type DaemonConfig, readConfig } from './config.ts';
import { startDaemon } from './daemon.ts';

let config: DaemonConfig;
try {
  config = readConfig(process.env);
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
const logger = createLogger('media-daemon', config.logLevel, { daemonId: config.daemonId });
process.on('uncaughtException', (error) => {
  logger.fatal({ err: error }, 'ended by an error that nothing handled');
  process.exit(1);
});

// Whoever asks before everything runs is served too: these listeners come first.
let stop: (exitCode: number) => Promise<void> = async (exitCode) => process.exit(exitCode);
let drain: (deadlineMs?: number) => Promise<void> = async () => {};
let stopping = false;
/** An operator's command or SIGTERM lets the calls move away first; an interrupt from a terminal does not. */
function stopBecauseOf(cause: 'SIGTERM' | 'SIGINT' | 'command', deadlineMs?: number): void {
  stopping = true;
  logger.info({ cause }, 'stopping');
  void (cause === 'SIGINT' ? Promise.resolve() : drain(deadlineMs)).then(() => stop(0));
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // A second one does not wait.
    if (stopping) process.exit(1);
    stopBecauseOf(signal);
  });
}

try {
  await startTracing('media-daemon', logger);
  const daemon = await startDaemon(config, logger, {
    onSuperseded: (reason) => {
      logger.fatal(reason);
      stopping = true;
      void drain().then(() => stop(1));
    },
    onDrainCommand: (deadlineMs) => {
      if (!stopping) stopBecauseOf('command', deadlineMs);
    },
  });
  drain = (deadlineMs) => daemon.drain(deadlineMs);
  stop = async (exitCode) => {
    await daemon.close();
    await endTracing();
    process.exit(exitCode);
  };
  const { url, listenPort, grpcPort, metricsPort } = daemon;
  const rtcAddress = config.rtc.rtcAnnouncedAddress ?? config.rtc.rtcIp;
  logger.info({ url, listenPort, rtcAddress, grpcPort, metricsPort }, 'media daemon ready');
} catch (error) {
  logger.fatal({ err: error }, error instanceof Error ? error.message : String(error));
  process.exit(1);
}
