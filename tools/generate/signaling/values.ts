import {
  CLOSE_COME_BACK,
  CLOSE_FOR_GOOD,
  commonErrors,
  errorCodes,
  notifications,
  requests,
  SUBPROTOCOL,
} from '@mediasoup-server/proto/signaling';
import { fieldsTable, typeName } from '../references/schemaTable.ts';
import { admission } from './admission.ts';
import type { Examples } from './Examples.ts';
import { JsonSchemas, type Schema, shapeName } from './jsonSchema.ts';
import { defaultOf, limitsTable } from './limits.ts';

/** The longest example that is shown on one line. */
const MAX_LINE = 160;

const schemas = new JsonSchemas();

const fields = (schema: Schema, none: string): string => fieldsTable(schemas.resolve(schema)) || none;

/** What the template of the signaling reference asks for. */
export function signalingValues(examples: Examples): Record<string, string> {
  const requestSections = Object.entries(requests).map(([method, { summary, data, response, errors }]) =>
    section(
      `### \`${method}\``,
      summary,
      fields(schemas.of(data), 'It has no fields.'),
      answer(schemas.of(response)),
      Object.keys(errors).length > 0 && errorTable(errors),
      json(Object.values(examples.requests[method] ?? {})),
    ),
  );
  const notRecorded = Object.keys(notifications).filter((method) => !examples.notifications[method]);
  const notificationSections = Object.entries(notifications).map(([method, { summary, data }]) => {
    const recorded = examples.notifications[method];
    return section(
      `### \`${method}\``,
      summary,
      fields(schemas.of(data), 'It has no fields.'),
      recorded ? json([recorded]) : 'Not recorded yet.',
    );
  });
  const shapeSections = schemas.shapes.map(([name, { description, ...shape }]) =>
    section(`### ${name}`, description, fields(shape, '')),
  );
  return {
    subprotocol: SUBPROTOCOL,
    admission: fields(schemas.of(admission), ''),
    forGood: String(CLOSE_FOR_GOOD),
    comeBack: String(CLOSE_COME_BACK),
    graceSeconds: String(Number(defaultOf('resumeGraceMs')) / 1000),
    pingSeconds: String(Number(defaultOf('pingIntervalMs')) / 1000),
    joinSeconds: String(Number(defaultOf('joinTimeoutMs')) / 1000),
    frameKiB: String(Number(defaultOf('maxFrameBytes')) / 1024),
    errorCodes: errorTable(errorCodes),
    commonErrors: errorTable(commonErrors),
    limits: limitsTable(),
    refused: json(Object.values(examples.refused)),
    resumed: json(Object.values(examples.resumed)),
    requests: requestSections.join('\n\n'),
    notRecorded: notRecorded.map((method) => `\`${method}\``).join(', '),
    notifications: notificationSections.join('\n\n'),
    shapes: shapeSections.join('\n\n'),
  };
}

const section = (...paragraphs: readonly (string | false | undefined)[]): string =>
  paragraphs.filter((paragraph) => paragraph).join('\n\n');

const errorTable = (errors: Readonly<Partial<Record<number, string>>>): string =>
  ['| error | when |', '|---|---|', ...Object.entries(errors).map(([code, when]) => `| ${code} | ${when} |`)].join(
    '\n',
  );

function answer(schema: Schema): string {
  const name = shapeName(schema);
  if (name !== undefined) return `Answer: ${typeName(schema)}`;
  return Object.keys(schema.properties ?? {}).length === 0 ? 'Answer: `{}`' : `Answer:\n\n${fields(schema, '')}`;
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
