import { errorCodes } from '@mediasoup-server/proto/errorCodes';
import * as http from '@mediasoup-server/proto/http';
import { idSchema } from '@mediasoup-server/proto/ids';
import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { type Body, type Operation, operations, tags } from './operations.ts';

type Json = Readonly<Record<string, unknown>>;

/** The schemas that have a name in the document. */
const named = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries({
  Assignment: http.assignmentSchema,
  AssignmentRequest: http.assignmentRequestSchema,
  CommandToken: http.commandTokenSchema,
  CommandTokenRequest: http.commandTokenRequestSchema,
  DaemonInfo: http.daemonInfoSchema,
  DaemonList: http.daemonListSchema,
  Health: http.healthSchema,
  IceServer: http.iceServerSchema,
  Jwks: http.jwksSchema,
  Problem: http.problemSchema,
  Readiness: http.readySchema,
  RoomInfo: http.roomInfoSchema,
  RoomInstances: http.roomInstancesSchema,
  RoomList: http.roomListSchema,
  RtpCapabilities: http.rtpCapabilitiesSchema,
})) {
  named.add(schema, { id });
}

/** The security and the further problems of each kind of access. */
const access = {
  everybody: { security: [], problems: [] },
  // Without a token in mode `open`.
  accessToken: { security: [{}, { accessToken: [] }], problems: ['UNAUTHORIZED', 'FORBIDDEN'] },
  daemonKey: { security: [{ daemonKey: [] }], problems: ['UNAUTHORIZED'] },
  daemonSecret: { security: [{ daemonSecret: [] }], problems: ['UNAUTHORIZED'] },
} as const satisfies Record<Operation['access'], { security: Json[]; problems: http.ProblemCode[] }>;

/** The HTTP API as an OpenAPI 3.1 document, from the schemas that check its bodies. */
export function openApi(): Json {
  const anyProblem = {
    description: 'Any other problem; 500 `INTERNAL` is a fault of the service.',
    content: problemContent({}),
  };
  const responses = new Map<string, Json>([['ANY', anyProblem]]);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Mediasoup Server control plane',
      version: manifest.version,
      summary: 'Assigns each peer of a room to a media daemon.',
      description:
        'Errors are problems (RFC 9457) with a stable `code`. Paths that do not exist answer 404 `NOT_FOUND`, other methods of ' +
        'those that do 405 `METHOD_NOT_ALLOWED` with `Allow`. Members may be added to answers at any time.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The control plane that serves this document.' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(
      Object.entries(operations).map(([path, methods]) => [
        path,
        {
          ...parametersOf(path),
          ...Object.fromEntries(
            Object.entries(methods).map(([method, operation]) => [method, describe(operation, responses)]),
          ),
        },
      ]),
    ),
    components: {
      schemas: namedSchemas(),
      responses: Object.fromEntries(responses),
      headers: {
        RetryAfter: {
          description: 'Seconds to wait before the next try (RFC 9110, section 10.2.3).',
          required: true,
          schema: { type: 'integer', minimum: 0 },
        },
        RateLimit: {
          description: 'What is left of each limit, and the seconds until it is reset.',
          schema: { type: 'string' },
        },
        RateLimitPolicy: {
          description: 'Each limit, and the length of its window in seconds.',
          schema: { type: 'string' },
        },
      },
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'An access token (JWT) that the application has signed: `typ` access+jwt, `aud` mediasoup-server, `sub` the peer, ' +
            '`room`, `grants` {publish, subscribe, data, admin}, `exp`. Lists want the grant `admin`, of all rooms the room `*`. ' +
            'Mode `jwt` asks for it, mode `open` does not.',
        },
        daemonKey: { type: 'http', scheme: 'bearer', description: 'The key that all media daemons share.' },
        daemonSecret: {
          type: 'http',
          scheme: 'bearer',
          description: "The secret of the daemon's incarnation, from the answer to its registration.",
        },
      },
    },
  };
}

const rateLimitHeaders = {
  RateLimit: { $ref: '#/components/headers/RateLimit' },
  'RateLimit-Policy': { $ref: '#/components/headers/RateLimitPolicy' },
};

/** @param responses collects the answers that operations share. */
function describe(operation: Operation, responses: Map<string, Json>): Json {
  const { security, problems } = access[operation.access];
  return {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    security,
    ...(operation.query && {
      parameters: Object.entries(operation.query.shape).map(([name, type]) => {
        const { description, ...schema } = schemaOf(type as z.ZodType, 'output');
        return { name, in: 'query', description, schema };
      }),
    }),
    ...(operation.body && { requestBody: { required: true, content: jsonContent(operation.body) } }),
    responses: {
      [operation.status]: {
        description: operation.answer,
        ...(operation.access === 'accessToken' && { headers: rateLimitHeaders }),
        ...(operation.content && { content: jsonContent(operation.content) }),
      },
      ...problemAnswers([...operation.problems, ...problems], responses),
      default: { $ref: '#/components/responses/ANY' },
    },
  };
}

/** An answer for each status, with the codes that it may have. */
function problemAnswers(codes: readonly http.ProblemCode[], responses: Map<string, Json>): Json {
  const byStatus = Map.groupBy(codes, (code) => errorCodes[code].http);
  return Object.fromEntries(
    [...byStatus].map(([status, among]) => {
      const name = among.toSorted().join('-');
      responses.set(name, problemAnswer(status, among.toSorted()));
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
}

function problemAnswer(status: number, codes: readonly http.ProblemCode[]): Json {
  const comeBack = { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } };
  return {
    description: codes.map((code) => `\`${code}\`: ${errorCodes[code].meaning}.`).join(' '),
    ...(status === 429 && { headers: { ...comeBack, ...rateLimitHeaders } }),
    ...(status === 503 && { headers: comeBack }),
    content: problemContent({ properties: { status: { const: status }, code: { enum: codes } } }),
  };
}

const problemContent = (more: Json) => ({
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem', ...more } },
});

/** The parameters in a path's braces: each is an id. */
function parametersOf(path: string): Json {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const { description, ...schema } = schemaOf(idSchema);
  if (names.length === 0) return {};
  return { parameters: names.map((name) => ({ name, in: 'path', required: true, description, schema })) };
}

function jsonContent(body: Body): Json {
  return { 'application/json': { schema: bodySchema(body) } };
}

function bodySchema(body: Body): Json {
  if (body === 'object') return { type: 'object' };
  if ('message' in body) {
    const description = `\`media.v1.${body.message}\` of proto/media/v1/registry.proto, as protobuf JSON.`;
    return { type: 'object', description };
  }
  const id = named.get(body)?.id;
  if (id === undefined) throw new Error('a body of the API has no name in the OpenAPI document');
  return { $ref: `#/components/schemas/${id}` };
}

function namedSchemas(): Json {
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(named, { io: 'input', uri, override: tidy });
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]));
}

function schemaOf(type: z.ZodType, io: 'input' | 'output' = 'input'): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, override: tidy });
  return schema;
}

/** A format says what its pattern, of several lines, does. */
function tidy({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }): void {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
}
