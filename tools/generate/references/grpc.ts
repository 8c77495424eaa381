import { execFileSync } from 'node:child_process';
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  fromBinary,
  ScalarType,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { getComments } from '@bufbuild/protoplugin';

const root = new URL('../../../', import.meta.url);
const SERVICE = 'media/v1/daemon';

const repeatable: Readonly<Record<MethodOptions_IdempotencyLevel, string>> = {
  [MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS]: 'Changes nothing; safe to repeat.',
  [MethodOptions_IdempotencyLevel.IDEMPOTENT]: 'Safe to repeat.',
  [MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN]: 'Not safe to repeat: doing it twice has two effects.',
};

/** What the template of the gRPC reference asks for, from the comments of the .proto file. */
export function grpcValues(): Record<string, string> {
  const image = execFileSync('buf', ['build', '--output', '-'], { cwd: root, maxBuffer: 1 << 26 });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const file = registry.getFile(`${SERVICE}.proto`);
  const [service] = file?.services ?? [];
  if (!file || !service) throw new Error(`${SERVICE}.proto has no service`);
  const messages = nested(file);
  const direct = new Set(service.methods.flatMap(({ input, output }) => [input.typeName, output.typeName]));
  const shapes = [...messages.filter(({ typeName }) => !direct.has(typeName)), ...file.enums];
  return {
    service: service.typeName,
    summary: commentOf(service),
    methods: service.methods.map(methodSection).join('\n\n'),
    shapes: shapes
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((shape) => [`### ${shape.name}`, commentOf(shape), membersOf(shape)].filter(Boolean).join('\n\n'))
      .join('\n\n'),
  };
}

/** The messages of a file, with those that are declared inside of others. */
const nested = (of: DescFile | DescMessage): DescMessage[] => {
  const own = 'messages' in of ? of.messages : of.nestedMessages;
  return own.flatMap((message) => [message, ...nested(message)]);
};

function methodSection(method: DescMethod): string {
  const { name, input, output, idempotency } = method;
  const streams = method.methodKind === 'server_streaming' ? 'stream of ' : '';
  return [
    `### \`${name}\``,
    commentOf(method),
    repeatable[idempotency],
    `**Request** \`${input.name}\`${input.fields.length === 0 ? ': no fields.' : ''}`,
    membersOf(input),
    `**Answer** ${streams}\`${output.name}\`${output.fields.length === 0 ? ': no fields.' : ''}`,
    membersOf(output),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function membersOf(of: DescMessage | DescEnum): string {
  if (of.kind === 'enum') {
    const values = of.values.map((value) => `| \`${value.name}\` | ${commentOf(value)} |`);
    return ['| value | meaning |', '|---|---|', ...values].join('\n');
  }
  if (of.fields.length === 0) return '';
  const rows = of.fields.map((field) => `| \`${field.name}\` | ${typeOf(field)} | ${commentOf(field)} |`);
  return ['| field | type | |', '|---|---|---|', ...rows].join('\n');
}

function typeOf(field: DescField): string {
  const repeated = field.fieldKind === 'list' ? 'list of ' : '';
  const choice = field.oneof ? ` (one of \`${field.oneof.name}\`)` : '';
  const shape = field.message ?? field.enum;
  if (!shape)
    return `${repeated}${field.scalar === undefined ? 'map' : ScalarType[field.scalar].toLowerCase()}${choice}`;
  const ours = shape.file.name === SERVICE;
  return `${repeated}${ours ? `[${shape.name}](#${shape.name.toLowerCase()})` : shape.typeName}${choice}`;
}

/** The comment before a declaration, as one paragraph. */
function commentOf(of: Parameters<typeof getComments>[0]): string {
  const { leading = '' } = getComments(of);
  return leading
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|');
}
