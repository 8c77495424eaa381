import { errorCodes, notifications, requests, SUBPROTOCOL } from '@mediasoup-server/proto/signaling';
import manifest from '../../../package.json' with { type: 'json' };
import { admission } from './admission.ts';
import type { Examples } from './Examples.ts';
import { JsonSchemas } from './jsonSchema.ts';

/** The signaling as an AsyncAPI 3.0 document, seen from the media daemon: it receives requests and sends notifications. */
export function asyncApi(examples: Examples): object {
  const schemas = new JsonSchemas();
  const messages: Record<string, object> = {
    refused: {
      name: 'refused',
      summary: 'The answer to a request that failed.',
      payload: envelope({
        response: { const: true },
        id,
        errorCode: { type: 'integer', enum: Object.keys(errorCodes).map(Number) },
        errorReason: { type: 'string' },
      }),
      examples: [{ payload: examples.refused.response }],
    },
  };
  const operations: Record<string, object> = {};
  const channel = { $ref: '#/channels/signaling' };
  const message = (name: string) => ({ $ref: `#/channels/signaling/messages/${name}` });
  for (const [method, { summary, data, response }] of Object.entries(requests)) {
    const recorded = examples.requests[method];
    messages[`${method}.request`] = {
      name: method,
      summary,
      payload: envelope({ request: { const: true }, id, method: { const: method }, data: schemas.of(data) }),
      ...(recorded && { examples: [{ payload: recorded.request }] }),
    };
    messages[`${method}.response`] = {
      name: `the answer to ${method}`,
      summary: `The answer to \`${method}\`.`,
      payload: envelope({ response: { const: true }, id, ok: { const: true }, data: schemas.of(response) }),
      ...(recorded && { examples: [{ payload: recorded.response }] }),
    };
    operations[method] = {
      action: 'receive',
      summary,
      channel,
      messages: [message(`${method}.request`)],
      reply: { channel, messages: [message(`${method}.response`), message('refused')] },
    };
  }
  for (const [method, { summary, data }] of Object.entries(notifications)) {
    const recorded = examples.notifications[method];
    messages[method] = {
      name: method,
      summary,
      payload: envelope({ notification: { const: true }, method: { const: method }, data: schemas.of(data) }),
      ...(recorded && { examples: [{ payload: recorded }] }),
    };
    operations[method] = { action: 'send', summary, channel, messages: [message(method)] };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Mediasoup Server signaling',
      version: manifest.version,
      description: 'The messages between a frontend and its media daemon. docs/reference/signaling.md explains them.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      daemon: {
        host: '{host}',
        protocol: 'wss',
        description: `The subprotocol of the WebSocket is \`${SUBPROTOCOL}\`.`,
        variables: { host: { description: 'The media daemon that the control plane assigned.' } },
      },
    },
    channels: {
      signaling: { address: '/', bindings: { ws: { method: 'GET', query: schemas.of(admission) } }, messages },
    },
    operations,
    components: { schemas: Object.fromEntries(schemas.shapes) },
  };
}

const id = { type: 'integer', description: 'Chosen by who asks; the answer has the same.' };

/** An object all of whose members are there. */
const envelope = (properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
