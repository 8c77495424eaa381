import type { TestContext } from 'node:test';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { readConfig } from '../config.ts';
import { type Daemon, startDaemon } from '../daemon.ts';

/** `SPREAD=true` has each room of every test on two workers, unless the test says how many there are. */
const workers: Record<string, string> = process.env.SPREAD
  ? { MEDIA_DAEMON_WORKERS: '2', MEDIA_DAEMON_SATURATED_CONSUMERS: '0' }
  : { MEDIA_DAEMON_WORKERS: '1' };

/**
 * Starts a daemon in this process, on ports that the system chooses; it ends with the test.
 *
 * @param environment settings beside those, as in the environment: `MEDIA_DAEMON_...`.
 */
export async function testDaemon(
  t: TestContext,
  environment: Record<string, string> = {},
): Promise<Daemon & { readonly httpUrl: string }> {
  const config = readConfig({
    MEDIA_DAEMON_LISTEN_PORT: '0',
    MEDIA_DAEMON_GRPC_PORT: '0',
    MEDIA_DAEMON_METRICS_PORT: '0',
    MEDIA_DAEMON_RTC_PORT: '0',
    MEDIA_DAEMON_LOG_LEVEL: 'silent',
    ...workers,
    ...environment,
  });
  const daemon: Daemon = await startDaemon(config, createLogger('media-daemon', config.logLevel), {
    onSuperseded: (reason) => {
      throw new Error(reason);
    },
    onDrainCommand: (deadlineMs) => void daemon.drain(deadlineMs),
  });
  t.after(() => daemon.close());
  return { ...daemon, httpUrl: daemon.url.replace(/^ws/, 'http') };
}
