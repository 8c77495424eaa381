import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Breaker } from './Breaker.ts';
import { developmentPage } from './developmentPage.ts';
import { Fleet } from './Fleet.ts';
import { mediaAddress } from './mediaAddress.ts';
import { Processes } from './Processes.ts';

/**
 * Runs the control plane with the embedded store, the demo page and one media daemon until it is interrupted. Settings of
 * both servers may be given in the environment. Everything but media listens on loopback, since not every browser sends
 * media there.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const daemonKey = randomBytes(24).toString('base64url');

/** Settings that make the servers reachable from other machines, or check tokens. With one of them the page cannot cause failures. */
const serious = [
  'CONTROL_PLANE_LISTEN_IP',
  'CONTROL_PLANE_TLS_CERT_FILE',
  'CONTROL_PLANE_STATIC_DIR',
  'MEDIA_DAEMON_LISTEN_IP',
  'MEDIA_DAEMON_PUBLIC_URL',
  'MEDIA_DAEMON_TLS_CERT_FILE',
  'MEDIA_DAEMON_MODE',
];
const built = `${root}client/dist/demo`;
const breaker = serious.some((name) => process.env[name]) ? undefined : await Breaker.listen();
const page = breaker && (await developmentPage(built, breaker.url));
const processes = new Processes(async () => {
  breaker?.close();
  if (page) await rm(page, { recursive: true, force: true });
});
const controlPlane = await processes.start('control-plane/src/main.ts', {
  CONTROL_PLANE_DATA_DIR: `${root}data`,
  CONTROL_PLANE_DAEMON_KEY: daemonKey,
  CONTROL_PLANE_STATIC_DIR: page ?? built,
});
const url = String(controlPlane.ready.url);
const settings = {
  MEDIA_DAEMON_CONTROL_PLANE_URL: url,
  MEDIA_DAEMON_DAEMON_KEY: process.env.CONTROL_PLANE_DAEMON_KEY ?? daemonKey,
  MEDIA_DAEMON_RTC_IP: mediaAddress(networkInterfaces()),
};
const fleet = new Fleet(processes, settings, breaker !== undefined);
const daemon = await fleet.start();
breaker?.obey(fleet, url);
process.stdout.write(`\nOpen ${url} in two browser windows. Ctrl-C stops everything.\n`);
process.stdout.write(`The media daemon alone: ${daemon.ready.url}?roomId=..&peerId=..\n`);
process.stdout.write(`Media goes to ${daemon.ready.rtcAddress}; set MEDIA_DAEMON_RTC_IP to use another address.\n`);
