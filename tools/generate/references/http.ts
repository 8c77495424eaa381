import { settingTypes, variableName } from '@mediasoup-server/server-kit/settings';
import { PREFIX, settingsSchema } from '../../../control-plane/src/config.ts';
import { openApi } from '../../../control-plane/src/http/openApi.ts';
import type { Schema } from '../signaling/jsonSchema.ts';
import { fieldsTable, typeName } from './schemaTable.ts';

type Content = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: Schema;
  readonly required?: boolean;
};
type Operation = {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { readonly $ref?: string; readonly description?: string }>>;
};
type Path = Readonly<Record<string, Operation>> & { readonly parameters?: readonly Parameter[] };
type Document = {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Path>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

/** The limits of requests a minute by their names in `RateLimit`: the setting of each, and what it counts. */
const limits = {
  assignments: ['assignmentsPerMinute', '`POST /rooms/{roomId}/assignments`'],
  requests: ['requestsPerMinute', 'all requests to `/rooms` and `/daemons`, except those of daemons'],
  wrongKeys: ['wrongKeysPerMinute', "requests to daemons' routes with a wrong key or secret"],
} as const;

/** What the template of the HTTP reference asks for: the limits, the routes by their tags, and the shapes of the bodies. */
export function httpValues(): Record<string, string> {
  const { tags, paths, components } = openApi() as unknown as Document;
  const operations = Object.entries(paths).flatMap(([path, { parameters = [], ...methods }]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
      tags: operation.tags,
      text: operationSection(`${method.toUpperCase()} ${path}`, operation, [
        ...parameters,
        ...(operation.parameters ?? []),
      ]),
    })),
  );
  const routes = tags.map(({ name, description }) => {
    const sections = operations.filter((operation) => operation.tags.includes(name)).map(({ text }) => text);
    return [`## ${name[0]?.toUpperCase()}${name.slice(1)}`, description, ...sections].join('\n\n');
  });
  const shapes = Object.entries(components.schemas).map(([name, schema]) => `### ${name}\n\n${fieldsTable(schema)}`);
  return { limits: limitsTable(), routes: routes.join('\n\n'), shapes: shapes.join('\n\n') };
}

function limitsTable(): string {
  const types = settingTypes(settingsSchema);
  const rows = Object.entries(limits).map(
    ([limit, [setting, counts]]) =>
      `| \`${limit}\` | ${types[setting].parse(undefined)} | \`${variableName(PREFIX, setting)}\` | ${counts} |`,
  );
  return ['| limit | default | setting | what it counts |', '|---|---|---|---|', ...rows].join('\n');
}

function operationSection(title: string, operation: Operation, parameters: readonly Parameter[]): string {
  const body = bodyType(operation.requestBody);
  return [
    `### \`${title}\``,
    operation.summary,
    access(operation.security),
    parameters.length > 0 && parametersTable(parameters),
    body && `Body: ${body}`,
    answersTable(operation.responses),
  ]
    .filter((paragraph) => paragraph)
    .join('\n\n');
}

/** An empty requirement stands for no credentials, which mode `open` accepts. */
function access(security: Operation['security']): string {
  const names = security.flatMap((requirement) => Object.keys(requirement)).map((name) => `\`${name}\``);
  return names.length === 0 ? '' : `Credentials: ${names.join(' or ')}.`;
}

function bodyType({ content = {} }: Content = {}): string {
  return Object.values(content)
    .map(({ schema }) => schema.description ?? typeName(schema))
    .join(' or ');
}

const parametersTable = (parameters: readonly Parameter[]): string =>
  [
    '| parameter | in | type | |',
    '|---|---|---|---|',
    ...parameters.map(
      ({ name, in: where, schema, description = '' }) =>
        `| \`${name}\` | ${where} | ${typeName(schema)} | ${description} |`,
    ),
  ].join('\n');

/** The successful answers with their bodies, and the codes of the problems that are the route's own. */
function answersTable(responses: Operation['responses']): string {
  const rows = Object.entries(responses).flatMap(([status, { $ref, description, ...response }]) => {
    if (status === 'default') return [];
    if ($ref === undefined) return [`| ${status} | ${description} ${bodyType(response)} |`];
    const codes = ($ref.split('/').at(-1) ?? '').split('-').map((code) => `\`${code}\``);
    return [`| ${status} | ${codes.join(', ')} |`];
  });
  return ['| answer | |', '|---|---|', ...rows].join('\n');
}
