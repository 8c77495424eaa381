import assert from 'node:assert/strict';
import { type ProblemCode, problemCodes } from '@mediasoup-server/proto/http';
import { Ajv2020 } from 'ajv/dist/2020.js';

type Reference = { readonly $ref?: string };
type Answer = Reference & {
  readonly headers?: Readonly<Record<string, Reference & { readonly required?: boolean; readonly schema?: object }>>;
  readonly content?: Readonly<Record<string, { readonly schema: { readonly properties?: { code?: CodeSchema } } }>>;
};
type CodeSchema = { readonly enum: readonly ProblemCode[] };
type Operation = { readonly responses: Readonly<Record<string, Answer>> };
export type ApiDocument = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** Holds answers against an OpenAPI document, and keeps account of which of its answers there have been. */
export class ApiContract {
  /** `GET /rooms/{roomId} 404 ROOM_NOT_FOUND`, for each answer that was held against the document. */
  readonly seen = new Set<string>();
  readonly #document: ApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true });

  constructor(document: ApiDocument) {
    this.#document = document;
    this.#ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)) && /T.*Z$/.test(text));
    this.#ajv.addSchema(document, 'api:/document');
  }

  /** `GET /rooms/{roomId}`, for each operation. */
  get operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => METHODS.includes(method))
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** What `seen` holds once every answer in the document has been there. */
  get documented(): string[] {
    return this.operations.flatMap((operation) =>
      Object.keys(this.#operation(operation).responses)
        .filter((status) => status !== 'default')
        .flatMap((status) => {
          const { value } = this.#answer(operation, status);
          const codes = value.content?.['application/problem+json']?.schema.properties?.code?.enum;
          return codes ? codes.map((code) => `${operation} ${status} ${code}`) : `${operation} ${status}`;
        }),
    );
  }

  /** @throws AssertionError unless the document has the answer's status, media type, form and headers. */
  async check(method: string, answer: Response): Promise<void> {
    const { pathname } = new URL(answer.url);
    const path = Object.keys(this.#document.paths).find((template) =>
      new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
    );
    const operation = `${method} ${path}`;
    const status = String(answer.status);
    const where = `${method} ${pathname} ${status}`;
    const { pointer, value } = this.#answer(operation, status);
    for (const [name, header] of Object.entries(value.headers ?? {})) {
      const { required, schema } = this.#resolve(header, '').value;
      const text = answer.headers.get(name);
      if (text === null) assert.ok(!required, `${where} is without ${name}`);
      else if ((schema as { type?: string }).type === 'integer') assert.match(text, /^\d+$/, `${where} ${name}`);
    }
    const [type = ''] = answer.headers.get('content-type')?.split(';') ?? [];
    if (!value.content) {
      assert.equal(await answer.text(), '', where);
      this.seen.add(`${operation} ${status}`);
      return;
    }
    assert.ok(value.content[type], `${where} is ${type}`);
    const body: unknown = await answer.json();
    const schema = `${pointer}/content/${escapePointer(type)}/schema`;
    const isValid = this.#ajv.compile({ $ref: `api:/document#${schema}` });
    assert.ok(isValid(body), `${where}: ${this.#ajv.errorsText(isValid.errors)} in ${JSON.stringify(body)}`);
    const { code } = body as { code?: ProblemCode };
    this.seen.add(`${operation} ${status}${code !== undefined && problemCodes.includes(code) ? ` ${code}` : ''}`);
  }

  #operation(operation: string): Operation {
    const [method = '', path = ''] = operation.split(' ');
    const found = this.#document.paths[path]?.[method.toLowerCase()];
    assert.ok(found, `${operation} is not in the document`);
    return found;
  }

  #answer(operation: string, status: string): { pointer: string; value: Answer } {
    const [method = '', path = ''] = operation.split(' ');
    const answer = this.#operation(operation).responses[status];
    assert.ok(answer, `${operation} ${status} is not in the document`);
    return this.#resolve(answer, `/paths/${escapePointer(path)}/${method.toLowerCase()}/responses/${status}`);
  }

  /** What a reference refers to, and where that is. */
  #resolve<T extends Reference>(value: T, pointer: string): { pointer: string; value: T } {
    if (value.$ref === undefined) return { pointer, value };
    const target = value.$ref.slice(1);
    const found = target
      .split('/')
      .slice(1)
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], this.#document);
    assert.ok(found, `${value.$ref} is not in the document`);
    return { pointer: target, value: found as T };
  }
}

/** RFC 6901, sections 3 and 6. */
const escapePointer = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
