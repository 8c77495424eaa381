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
  if (config.store.store !== 'dynamodb')
    throw new SettingsError('CONTROL_PLANE_STORE: must be "dynamodb", because a function has no storage for tables.');
  // A function is reached through the gateway, whatever its listen address is.
  if (config.access.mode === 'open' && !config.access.allowOpenBeyondLoopback)
    throw new SettingsError(
      'CONTROL_PLANE_MODE: "open" admits everybody. Set CONTROL_PLANE_ALLOW_OPEN_BEYOND_LOOPBACK=true to allow that.',
    );
  const { app } = await openApi(config, { logger: createLogger('control-plane', config.logLevel) });
  // The adapter considers the request handled when this resolves, so it waits for the whole answer.
  const sendRequest = async ({ request, response }: { request: IncomingMessage; response: ServerResponse }) => {
    const finished = once(response, 'finish');
    // The adapter's socket is a plain object, and the refusal of a body that is too large adds a listener to it.
    Object.setPrototypeOf(request.socket, EventEmitter.prototype);
    app(Object.assign(request, { body: undefined }), response);
    await finished;
  };
  const answer = configure({ app, framework: { sendRequest } }) as unknown as Handler;
  return (event, context) => answer(Object.assign(event, { requestPath: gatewayPath(event) }), context);
}
