import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { parseKeyRing, rotateKeyRing } from '../tokens/keyRing.ts';
import { readSecret, secretsManager } from './secrets.ts';

/** A rotation step of Secrets Manager. Without a step the first key is created. */
type RotationEvent = SecretsManagerRotationEvent | { readonly SecretId: string; readonly Step?: undefined };

/**
 * Rotates the assignment keys: AWS Secrets Manager calls it with each of its four steps, and may repeat a step.
 * The key ring says when its newest key begins to sign, so the new version becomes the current one at once.
 * Without a step it creates the first key, unless the secret has one.
 */
export async function handler(event: RotationEvent): Promise<void> {
  const { SecretId } = event;
  const client = await secretsManager();
  const { VersionIdsToStages: versions = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
  const current = Object.keys(versions).find((version) => versions[version]?.includes('AWSCURRENT'));
  if (event.Step === undefined) {
    if (current !== undefined) return;
    const SecretString = JSON.stringify(rotateKeyRing(undefined, Date.now()));
    await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
    return;
  }
  const { Step, ClientRequestToken } = event;
  if (current === ClientRequestToken) return;
  if (Step === 'createSecret') {
    const pending = await client
      .send(new GetSecretValueCommand({ SecretId, VersionId: ClientRequestToken }))
      .catch((error: unknown) => {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      });
    if (pending) return;
    const ring = parseKeyRing(await readSecret(SecretId), SecretId);
    await client.send(
      new PutSecretValueCommand({
        SecretId,
        ClientRequestToken,
        SecretString: JSON.stringify(rotateKeyRing(ring, Date.now())),
        VersionStages: ['AWSPENDING'],
      }),
    );
  }
  if (Step === 'finishSecret') {
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: ClientRequestToken,
        RemoveFromVersionId: current,
      }),
    );
  }
}
