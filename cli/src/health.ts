import http from 'node:http';
import https from 'node:https';
import { CliError } from './CliError.ts';
import { type Environment, readControlPlane, readMediaDaemon, type ServerName } from './serverSettings.ts';

/** The deadline of the answer, ms. */
const DEADLINE_MS = 5000;

/**
 * Asks a server on this machine, at the address of its settings, whether it is alive or ready.
 *
 * @throws CliError with its answer if it is not; SettingsError.
 */
export async function checkHealth(
  server: ServerName,
  path: '/health' | '/ready',
  environment: Environment,
): Promise<void> {
  const settings = server === 'control-plane' ? await readControlPlane(environment) : readMediaDaemon(environment);
  const { listenIp, listenPort, tlsCertFile } = settings.http;
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[listenIp] ?? listenIp;
  // The certificate is for another name than this address, and the address is on this machine.
  const options = { host, port: listenPort, path, timeout: DEADLINE_MS, rejectUnauthorized: false };
  const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const request = (tlsCertFile === undefined ? http : https).get(options, async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode ?? 0, body });
    });
    request.once('timeout', () => request.destroy(new Error(`no answer in ${DEADLINE_MS} ms`)));
    request.once('error', reject);
  }).catch((error: Error) => {
    throw new CliError(`${server} does not answer at ${host}:${listenPort}: ${error.message}`, 3);
  });
  if (status !== 200) throw new CliError(`${server} answered ${path} with ${status}: ${body}`);
}
