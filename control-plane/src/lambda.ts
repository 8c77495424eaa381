import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { configure } from '@codegenie/serverless-express';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { SettingsError } from '@mediasoup-server/server-kit/settings';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { openApi } from './app.ts';
import { withSecrets } from './aws/secretSettings.ts';
import { readConfig } from './config.ts';
import { gatewayPath } from './gatewayPath.ts';

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

/*
 * The control plane as an AWS Lambda function behind an API Gateway HTTP API (payload format 2.0). Settings and keys are read
 * once, when the function starts; a wrong one ends it with a message that names it.
 */
export const handler: Handler = await start().catch((error: Error) => {
  process.stderr.write(`control plane: ${error.message}\n`);
  process.exit(1);
});

async function start(): Promise<Handler> {
  const config = readConfig(await withSecrets(process.env));
  if (config.store !== 'dynamodb')
    throw new SettingsError('CONTROL_PLANE_STORE: a function keeps no tables, so it must be "dynamodb".');
  // Whatever address it says that it listens on, everybody reaches it.
  if (config.mode === 'open' && !config.allowOpenBeyondLoopback)
    throw new SettingsError(
      'CONTROL_PLANE_MODE: "open" lets everybody in, so it asks for CONTROL_PLANE_ALLOW_OPEN_BEYOND_LOOPBACK.',
    );
  const { app } = await openApi(config, { logger: createLogger('control-plane', config.logLevel) });
  // The adapter takes a request for read when this resolves; its body is parsed after what waits, such as the limits.
  const sendRequest = async ({ request, response }: { request: IncomingMessage; response: ServerResponse }) => {
    const finished = once(response, 'finish');
    // Its socket is a plain object; who refuses a body that is too large listens for the socket's end.
    Object.setPrototypeOf(request.socket, EventEmitter.prototype);
    app(Object.assign(request, { body: undefined }), response);
    await finished;
  };
  const answer = configure({ app, framework: { sendRequest } }) as unknown as Handler;
  return (event, context) => answer(Object.assign(event, { requestPath: gatewayPath(event) }), context);
}
