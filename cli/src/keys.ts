import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { AssignmentKeys } from '@mediasoup-server/control-plane/assignment-keys';
import { CliError } from './CliError.ts';

/** A secret of 256 random bits, in characters that need no quoting. */
export const randomSecret = (): string => randomBytes(32).toString('base64url');

/**
 * Writes a new assignment key to a file that only its owner can read.
 *
 * @returns the key id (`kid`) under which the key is published.
 * @throws CliError when the file exists, or cannot be written.
 */
export async function generateAssignmentKey(file: string): Promise<string> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(file, pem, { mode: 0o600, flag: 'wx' }).catch((error: Error) => {
    throw new CliError(`the key was not written: ${error.message}`);
  });
  const assignmentKeys = await AssignmentKeys.load({ file, dataDir: '' });
  const [key] = (await assignmentKeys.jwks()).keys;
  return String(key?.kid);
}
