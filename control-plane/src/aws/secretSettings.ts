import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsError } from '@mediasoup-server/server-kit/settings';
import { PREFIX } from '../config.ts';
import { readSecret } from './secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[^:]+:\d+:secret:\S+$/;
/** This setting keeps the ARN, because the control plane reads its secret again and again. */
const KEY_RING = `${PREFIX}ASSIGNMENT_KEY_SECRET`;

/**
 * Resolves settings whose value is the ARN of a secret of AWS Secrets Manager: the setting gets the secret's text. A setting
 * that names a file gets a file with that text, which only this user can read.
 *
 * @throws SettingsError that names each variable whose secret cannot be read.
 */
export async function withSecrets(environment: Environment): Promise<Environment> {
  const named = Object.entries(environment).filter(
    ([variable, value]) => variable.startsWith(PREFIX) && variable !== KEY_RING && SECRET_ARN.test(value ?? ''),
  );
  if (named.length === 0) return environment;
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-secrets-'));
  const wrong: string[] = [];
  const read = await Promise.all(
    named.map(async ([variable, arn = '']) => {
      try {
        const secret = await readSecret(arn);
        if (!variable.endsWith('_FILE')) return [variable, secret];
        const file = join(folder, variable);
        await writeFile(file, secret, { mode: 0o600 });
        return [variable, file];
      } catch (error) {
        wrong.push(`${variable}: ${(error as Error).message}`);
        return [variable, undefined];
      }
    }),
  );
  if (wrong.length > 0) throw new SettingsError(wrong.join('\n'));
  return { ...environment, ...Object.fromEntries(read) };
}
