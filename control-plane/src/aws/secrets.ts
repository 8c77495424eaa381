import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** How long a secret may take to come, ms. A function on AWS answers nobody meanwhile. */
const TIMEOUT_MS = 3000;

let client: Promise<SecretsManagerClient> | undefined;

/** The client of AWS Secrets Manager, in the region of the surroundings. It is loaded where it is used. */
export function secretsManager(): Promise<SecretsManagerClient> {
  client ??= import('@aws-sdk/client-secrets-manager').then(
    ({ SecretsManagerClient }) =>
      new SecretsManagerClient({
        maxAttempts: 3,
        requestHandler: { connectionTimeout: 1000, requestTimeout: TIMEOUT_MS, throwOnRequestTimeout: true },
      }),
  );
  return client;
}

/**
 * Reads a secret's text.
 *
 * @throws Error that names it.
 */
export async function readSecret(secretId: string): Promise<string> {
  const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const { SecretString } = await (await secretsManager())
    .send(new GetSecretValueCommand({ SecretId: secretId }))
    .catch((cause: Error) => {
      throw new Error(`the secret ${secretId} cannot be read: ${cause.name}: ${cause.message}`, { cause });
    });
  if (SecretString === undefined) throw new Error(`the secret ${secretId} holds no text`);
  return SecretString;
}
