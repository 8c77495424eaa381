import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

type Request = Readonly<Record<'SecretId' | 'SecretString' | 'ClientRequestToken' | 'MoveToVersionId', string>> & {
  readonly VersionId?: string;
  readonly VersionStages?: readonly string[];
};
type Version = { text: string; stages: Set<string> };

/** What of AWS Secrets Manager's protocol the control plane speaks, since the service cannot be had on one's own machine. */
export class SecretsManager {
  readonly endpoint: string;
  /** By ARN, by version. */
  readonly #secrets = new Map<string, Map<string, Version>>();
  readonly #close: () => void;

  private constructor(endpoint: string, close: () => void) {
    this.endpoint = endpoint;
    this.#close = close;
  }

  static async start(): Promise<SecretsManager> {
    let manager: SecretsManager;
    const server = createServer(async (request, response) => {
      const operation = String(request.headers['x-amz-target']).replace('secretsmanager.', '');
      const [status, answer] = manager.#answer(operation, (await json(request)) as Request);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    manager = new SecretsManager(`http://127.0.0.1:${port}`, () => {
      server.close();
      server.closeAllConnections();
    });
    return manager;
  }

  /** @returns the ARN of a secret that holds a text, or nothing yet. */
  create(name: string, text?: string): string {
    const arn = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;
    const first = { text: text ?? '', stages: new Set(['AWSCURRENT']) };
    this.#secrets.set(arn, new Map(text === undefined ? [] : [['first', first]]));
    return arn;
  }

  /** What a secret holds now. */
  currentOf(arn: string): string | undefined {
    return this.#find(arn, 'AWSCURRENT')?.text;
  }

  close(): void {
    this.#close();
  }

  #find(arn: string, stage: string): Version | undefined {
    return [...(this.#secrets.get(arn)?.values() ?? [])].find(({ stages }) => stages.has(stage));
  }

  #answer(operation: string, asked: Request): [status: number, answer: unknown] {
    const refuse = (type: string): [number, unknown] => [
      400,
      { __type: type, message: `${operation} of ${asked.SecretId}` },
    ];
    const versions = this.#secrets.get(asked.SecretId);
    if (!versions) return refuse('ResourceNotFoundException');
    switch (operation) {
      case 'DescribeSecret': {
        const stages = [...versions].map(([id, version]) => [id, [...version.stages]]);
        return [200, { VersionIdsToStages: Object.fromEntries(stages) }];
      }
      case 'GetSecretValue': {
        const { VersionId } = asked;
        const found = VersionId === undefined ? this.#find(asked.SecretId, 'AWSCURRENT') : versions.get(VersionId);
        return found ? [200, { SecretString: found.text }] : refuse('ResourceNotFoundException');
      }
      case 'PutSecretValue': {
        const { ClientRequestToken, SecretString, VersionStages = ['AWSCURRENT'] } = asked;
        const known = versions.get(ClientRequestToken);
        if (known && known.text !== SecretString) return refuse('ResourceExistsException');
        versions.set(ClientRequestToken, { text: SecretString, stages: new Set(VersionStages) });
        return [200, {}];
      }
      case 'UpdateSecretVersionStage': {
        this.#find(asked.SecretId, 'AWSCURRENT')?.stages.delete('AWSCURRENT');
        versions.get(asked.MoveToVersionId)?.stages.add('AWSCURRENT');
        return [200, {}];
      }
      default:
        return refuse('UnknownOperationException');
    }
  }
}
