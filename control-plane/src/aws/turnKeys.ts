import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { parseKeyRing, turnKeyRing } from '../tokens/keyRing.ts';
import { readSecret, secretsManager } from './secrets.ts';

/** The steps of Secrets Manager; or none of them, before there is a key that could be turned. */
type TurnEvent = SecretsManagerRotationEvent | { readonly SecretId: string; readonly Step?: undefined };

/**
 * The function that AWS Secrets Manager turns the assignment keys with, in its four steps, of which any may come twice.
 * The ring itself says when its newest key begins to sign, so the version that is made becomes the current one at once.
 * Without a step it makes the first key, unless there is one.
 */
export async function handler(event: TurnEvent): Promise<void> {
  const { SecretId } = event;
  const client = await secretsManager();
  const { VersionIdsToStages: versions = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
  const current = Object.keys(versions).find((version) => versions[version]?.includes('AWSCURRENT'));
  if (event.Step === undefined) {
    if (current !== undefined) return;
    const SecretString = JSON.stringify(turnKeyRing(undefined, Date.now()));
    await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
    return;
  }
  const { Step, ClientRequestToken } = event;
  if (current === ClientRequestToken) return;
  if (Step === 'createSecret') {
    const made = await client
      .send(new GetSecretValueCommand({ SecretId, VersionId: ClientRequestToken }))
      .catch((error: unknown) => {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      });
    if (made) return;
    const ring = parseKeyRing(await readSecret(SecretId), SecretId);
    await client.send(
      new PutSecretValueCommand({
        SecretId,
        ClientRequestToken,
        SecretString: JSON.stringify(turnKeyRing(ring, Date.now())),
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
