import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** A request and its answer, as the client saw them. */
export interface Exchange {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly requestType: string | undefined;
  /** The JSON that was sent; `undefined` where the body was something else. */
  readonly requestJson: unknown;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body of the answer; `undefined` for a stream, which is not judged. */
  readonly text: string | undefined;
}

interface MediaTypes {
  readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: MediaTypes;
  readonly responses: Readonly<Record<string, MediaTypes>>;
}

/** An OpenAPI 3.1 document, as far as it is read here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface FoundOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

const documentId = 'openapi.json';

/** Holds what goes over the wire against the published document. */
export class ApiDocument {
  readonly document: OpenApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #templates: readonly { readonly path: string; readonly pattern: RegExp }[];

  constructor(document: OpenApiDocument) {
    this.document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, documentId);
    // A literal path wins over one with parameters: `/v1/users/me` is not a person's id.
    const paths = Object.keys(document.paths).sort((left, right) => braces(left) - braces(right));
    this.#templates = paths.map((path) => ({ path, pattern: patternOf(path) }));
  }

  /** @returns the operation that a request is for, or `undefined` where the document has none */
  find(method: string, target: string): FoundOperation | undefined {
    const pathname = target.split('?', 1)[0] ?? '';
    for (const { path, pattern } of this.#templates) {
      const operation = this.document.paths[path]?.[method.toLowerCase()];
      if (pattern.test(pathname) && operation !== undefined) return { path, method: method.toLowerCase(), operation };
    }
    return undefined;
  }

  /**
   * @throws AssertionError when the route, the status, the media type or the body is not what the document says, or when a
   *   request succeeded that the document does not allow
   */
  check(exchange: Exchange): void {
    const { method, target, status, headers, text } = exchange;
    const shown = `${method} ${target} → ${status}`;
    const found = this.find(method, target);
    assert.ok(found, `${shown}: the route is not in openapi.json`);
    const response = found.operation.responses[String(status)];
    assert.ok(response, `${shown}: the status is not in openapi.json\n${text ?? ''}`);
    if (status < 400) this.#checkRequest(found, exchange);
    const type = mediaType(headers['content-type']);
    if (text === undefined || status === 304) return;
    if (response.content === undefined) {
      assert.equal(text, '', `${shown}: openapi.json knows no body`);
      return;
    }
    assert.ok(type !== undefined && type in response.content, `${shown}: ${type} is not in openapi.json`);
    if (!isJson(type)) return;
    const where = [...pathTo(found), 'responses', String(status), 'content', type, 'schema'];
    this.#conforms(JSON.parse(text), where, `${shown}: the answer`);
  }

  /** Every schema of the document can be compiled, which fails for a reference that leads nowhere. */
  compileAll(): void {
    for (const [path, operations] of Object.entries(this.document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const base = ['paths', path, method];
        for (const [status, { content = {} }] of Object.entries(operation.responses)) {
          for (const type of Object.keys(content)) {
            this.#validator([...base, 'responses', status, 'content', type, 'schema']);
          }
        }
        for (const type of Object.keys(operation.requestBody?.content ?? {})) {
          this.#validator([...base, 'requestBody', 'content', type, 'schema']);
        }
      }
    }
  }

  #checkRequest(found: FoundOperation, { method, target, requestType, requestJson }: Exchange): void {
    const shown = `${method} ${target}, which succeeded`;
    const query = found.operation.parameters?.filter((each) => each.in === 'query') ?? [];
    const sent = [...new URLSearchParams(target.split('?')[1] ?? '').keys()];
    const unknown = sent.filter((name) => !query.some((each) => each.name === name));
    assert.deepEqual(unknown, [], `${shown}: parameters that are not in openapi.json`);
    const missing = query.filter(({ name, required }) => required === true && !sent.includes(name));
    assert.deepEqual(missing, [], `${shown}: parameters that openapi.json demands`);
    const type = mediaType(requestType);
    if (type === undefined) return;
    const content = found.operation.requestBody?.content ?? {};
    assert.ok(type in content, `${shown}: a body of ${type} is not in openapi.json`);
    if (requestJson === undefined) return;
    this.#conforms(requestJson, [...pathTo(found), 'requestBody', 'content', type, 'schema'], `${shown}: the body`);
  }

  #conforms(value: unknown, where: readonly string[], what: string): void {
    const validate = this.#validator(where);
    if (validate(value)) return;
    const faults = this.#ajv.errorsText(validate.errors, { separator: '\n  ' });
    assert.fail(`${what} is not what openapi.json says:\n  ${faults}\n${JSON.stringify(value, undefined, 2)}`);
  }

  #validator(where: readonly string[]): ValidateFunction {
    const pointer = where.map((each) => encodeURIComponent(each.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const key = `${documentId}#/${pointer}`;
    const validate = this.#ajv.getSchema(key);
    assert.ok(validate, `${key} leads nowhere`);
    return validate;
  }
}

const pathTo = ({ path, method }: FoundOperation): string[] => ['paths', path, method];
const braces = (path: string): number => path.split('{').length;
const isJson = (type: string): boolean => /^application\/([\w.-]+\+)?json$/.test(type);

/** @returns the media type without its parameters, in lower case */
export const mediaType = (header: string | undefined): string | undefined =>
  header?.split(';', 1)[0]?.trim().toLowerCase();

function patternOf(path: string): RegExp {
  const literal = path.split(/\{[^}]+\}/).map((each) => each.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('[^/]+')}$`);
}
