import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import manifest from './package.json' with { type: 'json' };
import { CLOSE_COME_BACK, CLOSE_FOR_GOOD, notifications, requests, SUBPROTOCOL } from './src/signaling.ts';

/** Writes the reference of the signaling, for people and as AsyncAPI, from the schemas and the recorded examples. */

type Schema = {
  readonly type?: string;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
};

/** The longest example that is shown on one line. */
const MAX_LINE = 160;

const examples = JSON.parse(await readFile(new URL('signaling-examples.json', import.meta.url), 'utf8'));
const schemaOf = (type: z.ZodType): Schema => {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input' }) as Schema & { $schema?: string };
  return schema;
};

await writeFile(new URL('asyncapi.json', import.meta.url), `${JSON.stringify(asyncApi(), null, 2)}\n`);
await writeFile(new URL('SIGNALING.md', import.meta.url), await markdown());

function asyncApi(): object {
  const object = (properties: Record<string, unknown>) => ({
    type: 'object',
    required: Object.keys(properties),
    properties,
  });
  const id = { type: 'integer', description: 'Chosen by who asks; the answer has the same.' };
  const messages: Record<string, object> = {
    refused: {
      summary: 'The answer to a request that failed.',
      payload: object({
        response: { const: true },
        id,
        errorCode: { type: 'integer' },
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
      summary,
      payload: object({ request: { const: true }, id, method: { const: method }, data: schemaOf(data) }),
      examples: [{ payload: recorded.request }],
    };
    messages[`${method}.response`] = {
      summary: `The answer to \`${method}\`.`,
      payload: object({ response: { const: true }, id, ok: { const: true }, data: schemaOf(response) }),
      examples: [{ payload: recorded.response }],
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
      summary,
      payload: object({ notification: { const: true }, method: { const: method }, data: schemaOf(data) }),
      ...(recorded && { examples: [{ payload: recorded }] }),
    };
    operations[method] = { action: 'send', summary, channel, messages: [message(method)] };
  }
  const query = { type: 'string' };
  return {
    asyncapi: '3.0.0',
    info: { title: 'Mediasoup Server signaling', version: manifest.version, license: { name: 'MIT' } },
    servers: {
      daemon: {
        host: '{host}',
        protocol: 'wss',
        description: `WebSocket subprotocol \`${SUBPROTOCOL}\`.`,
        variables: { host: { description: 'The media daemon that the control plane assigned.' } },
      },
    },
    channels: {
      signaling: {
        address: '/',
        bindings: {
          ws: {
            method: 'GET',
            query: {
              type: 'object',
              required: ['roomId', 'peerId'],
              properties: { roomId: query, peerId: query, token: query, sessionId: query },
            },
          },
        },
        messages,
      },
    },
    operations,
  };
}

async function markdown(): Promise<string> {
  const guide = await readFile(new URL('SIGNALING.guide.md', import.meta.url), 'utf8');
  const requestSections = Object.entries(requests).map(([method, { summary, data, response }]) => {
    const recorded = examples.requests[method];
    return [
      `### \`${method}\``,
      summary,
      fields(schemaOf(data), 'It has no fields.'),
      answer(schemaOf(response)),
      json([recorded.request, recorded.response]),
    ].join('\n\n');
  });
  const notificationSections = Object.entries(notifications).map(([method, { summary, data }]) => {
    const recorded = examples.notifications[method];
    const example = recorded ? json([recorded]) : 'No example is recorded yet.';
    return [`### \`${method}\``, summary, fields(schemaOf(data), 'It has no fields.'), example].join('\n\n');
  });
  const values: Record<string, string> = {
    forGood: String(CLOSE_FOR_GOOD),
    comeBack: String(CLOSE_COME_BACK),
    refused: json([examples.refused.request, examples.refused.response]),
    resumed: json([examples.resumed.request, examples.resumed.response]),
    requests: requestSections.join('\n\n'),
    notifications: notificationSections.join('\n\n'),
  };
  return guide.replace(/\{\{(\w+)\}\}/g, (_all, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`SIGNALING.guide.md asks for {{${name}}}`);
    return value;
  });
}

function answer(schema: Schema): string {
  return Object.keys(schema.properties ?? {}).length === 0 ? 'Answer: `{}`' : `Answer:\n\n${fields(schema, '')}`;
}

/** A table of a schema's fields; a choice of several has one for each. */
function fields(schema: Schema, none: string): string {
  if (schema.anyOf) return ['One of these:', ...schema.anyOf.map((choice) => fields(choice, none))].join('\n\n');
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const optional = schema.required?.includes(name) ? '' : ' (optional)';
    return `| \`${name}\`${optional} | ${typeName(field)} | ${field.description ?? ''} |`;
  });
  return rows.length === 0 ? none : ['| field | type | |', '|---|---|---|', ...rows].join('\n');
}

function typeName(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' or ');
  if (schema.enum) return schema.enum.map((value) => `\`"${value}"\``).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeName(schema.items) : 'anything'}`;
  if (schema.type === 'object' && schema.properties) {
    const names = Object.keys(schema.properties).map((name) => (schema.required?.includes(name) ? name : `${name}?`));
    return `object {${names.join(', ')}}`;
  }
  const { minimum, maximum } = schema;
  const isRange = minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return `${schema.type ?? 'anything'}${isRange ? ` ${minimum} to ${maximum}` : ''}`;
}

/** Messages as they were on the wire, with line breaks where they are long; of long lists the first member. */
function json(messages: readonly unknown[]): string {
  const texts = messages.map(shorten).map((message) => {
    const line = JSON.stringify(message, null, 1).replace(/\n\s*/g, ' ');
    return line.length <= MAX_LINE ? line : JSON.stringify(message, null, 2);
  });
  return ['```json', ...texts, '```'].join('\n');
}

function shorten(value: unknown): unknown {
  if (Array.isArray(value)) {
    const kept = value.slice(0, value.length > 2 ? 1 : 2).map(shorten);
    return kept.length < value.length ? [...kept, `... ${value.length - kept.length} more`] : kept;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shorten(member)]));
}
