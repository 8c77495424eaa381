import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** The deadline of reading a secret, ms. A Lambda function answers no request meanwhile. */
const TIMEOUT_MS = 3000;

let client: Promise<SecretsManagerClient> | undefined;

/** The client of AWS Secrets Manager, in the region of the environment. It is loaded at its first use. */
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
