import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mediaAddress } from './mediaAddress.ts';

/**
 * Runs everything on this machine until it is interrupted: the control plane with its embedded table and the demo page,
 * and one media daemon. Settings of either may be given in the environment. Everything listens on loopback but media,
 * which not every browser would send there.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const daemonKey = randomBytes(24).toString('base64url');
const children: ChildProcess[] = [];
let stopping = false;

/** Ends everything, the last started first: so a daemon can still take its leave of the control plane. */
async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const child of children.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    // Not SIGTERM, at which a daemon waits for its calls to move away.
    child.kill('SIGINT');
    await once(child, 'exit');
  }
  process.exit(exitCode);
}

/** Starts a process and resolves to the log line that says it is ready; its warnings and errors are shown as they come. */
function start(main: string, environment: Record<string, string>): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [main], {
    cwd: root,
    env: { ...environment, ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A Ctrl-C at the terminal goes to all processes of its group, and would end the media workers before their daemon.
    detached: true,
  });
  children.push(child);
  child.once('exit', (code) => {
    if (!stopping) process.stderr.write(`${main} ended with ${code}; stopping everything\n`);
    void stop(code || 1);
  });
  return new Promise((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const fields = JSON.parse(line) as Record<string, unknown>;
      // The one line that says where the metrics are is written when everything runs.
      if (fields.metricsPort !== undefined) resolve(fields);
      if (Number(fields.level) >= 40) process.stderr.write(`${line}\n`);
    });
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second signal does not wait.
    if (stopping) for (const child of children) child.kill('SIGKILL');
    else void stop(0);
  });
}

const controlPlane = await start('control-plane/src/main.ts', {
  CONTROL_PLANE_DATA_DIR: `${root}data`,
  CONTROL_PLANE_DAEMON_KEY: daemonKey,
  CONTROL_PLANE_STATIC_DIR: `${root}client/dist/demo`,
});
const daemon = await start('media-daemon/src/main.ts', {
  MEDIA_DAEMON_CONTROL_PLANE_URL: String(controlPlane.url),
  MEDIA_DAEMON_DAEMON_KEY: process.env.CONTROL_PLANE_DAEMON_KEY ?? daemonKey,
  MEDIA_DAEMON_RTC_IP: mediaAddress(networkInterfaces()),
});
// Nobody can join before the control plane has heard of the daemon.
const metrics = `http://${process.env.MEDIA_DAEMON_METRICS_IP || '127.0.0.1'}:${daemon.metricsPort}/metrics`;
while (!(await (await fetch(metrics)).text()).includes('heartbeats_total{outcome="ok"}')) await delay(20);
process.stdout.write(`\nOpen ${controlPlane.url} in two browser windows. Ctrl-C ends everything.\n`);
process.stdout.write(`The media daemon by itself: ${daemon.url}?roomId=..&peerId=..\n`);
process.stdout.write(`Media goes to ${daemon.rtcAddress}; MEDIA_DAEMON_RTC_IP names another address.\n`);
