import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { daemonRow } from '../testing/daemonRow.ts';
import { noLoad } from './Daemon.ts';
import { LoadLog } from './LoadLog.ts';

/** A logger, and the lines that it was given. */
function heardLogger() {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('test', 'silent');
  logger.info = (line: object) => {
    lines.push({ ...line });
  };
  return { logger, lines };
}

test('each daemon that accepts rooms is logged every 20 s in CloudWatch’s metric format', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const { logger, lines } = heardLogger();
  const log = new LoadLog('Namespace', logger);
  const a = daemonRow('a', { region: 'eu', load: { ...noLoad, workerCpu: 0.4217 }, headroom: 10 });
  const b = daemonRow('b', { region: 'eu', state: 'draining' });
  for (const daemon of [a, a, b]) log.report(daemon);
  t.mock.timers.setTime(1_019_999);
  log.report(a);
  assert.deepEqual(lines, [
    {
      _aws: {
        Timestamp: 1_000_000,
        CloudWatchMetrics: [
          { Namespace: 'Namespace', Dimensions: [['Region']], Metrics: [{ Name: 'DaemonLoad', Unit: 'Percent' }] },
        ],
      },
      Region: 'eu',
      DaemonLoad: 42.2,
      daemonId: 'a',
    },
  ]);
  t.mock.timers.setTime(1_020_000);
  log.report({ ...a, load: { ...noLoad, peers: 30 } });
  assert.equal(lines[1]?.DaemonLoad, 75);
});
