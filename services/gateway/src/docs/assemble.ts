import type { Method, OpenApiPart, ProblemDescription } from '@causeway/service';

import { eventSchemas } from '../events/event-schemas.ts';

/** A part of a document. */
type Section = Readonly<Record<string, unknown>>;

const description = [
  'Sign-in, people, data with rules, and a stream of everything that happens, behind one address.',
  '',
  'Errors are problem documents (RFC 9457); the page behind the `type` of each says what to do.',
  'Every write names the events that it recorded in `Causeway-Event`; `GET /v1/events/{id}/effects` tells what became of them.',
  'Services of your own read them from Kafka: [/asyncapi.json](/asyncapi.json) (AsyncAPI 3.0) has the topics, headers, data and examples,',
  '[/schemas](/schemas) the JSON Schema of each.',
].join('\n');

const tags = [
  { name: 'auth', description: 'Accounts, sessions, tokens.' },
  { name: 'users', description: 'People.' },
  { name: 'collections', description: 'What data looks like, and who may do what.' },
  { name: 'data', description: 'Records, queries, feeds.' },
  { name: 'events', description: 'What happened, and what became of it.' },
];

const asSection = (value: unknown): Section => (typeof value === 'object' && value !== null ? (value as Section) : {});

/** An operation of the document. */
export interface DocumentedOperation {
  readonly method: Method;
  readonly path: string;
}

const isMethod = (name: string): name is Method => ['get', 'post', 'put', 'patch', 'delete'].includes(name);

/** All parts' entries of one kind; the first that has a name keeps it. */
const merged = (parts: readonly OpenApiPart[], kind: string): Section => {
  const result: Record<string, unknown> = {};
  for (const { components } of parts) {
    for (const [name, value] of Object.entries(asSection(components[kind]))) result[name] ??= value;
  }
  return result;
};

/**
 * Puts the parts together.
 *
 * @param parts - of the services, and of the gateway
 * @returns the OpenAPI 3.1 document, its operations, and every problem by its code
 */
export const assemble = (
  parts: readonly OpenApiPart[],
): {
  readonly document: Section;
  readonly operations: readonly DocumentedOperation[];
  readonly problems: ReadonlyMap<string, ProblemDescription>;
} => {
  const paths: Record<string, Section> = {};
  for (const part of parts) {
    for (const [path, operations] of Object.entries(part.paths)) paths[path] = { ...paths[path], ...operations };
  }
  const problems = new Map(parts.flatMap((part) => part['x-problems'].map((each) => [each.code, each] as const)));
  const document = {
    openapi: '3.1.0',
    info: { title: 'Causeway', version: '1.0.0', description },
    // Relative: the document is served by the gateway itself, wherever that is.
    servers: [{ url: '/' }],
    tags,
    paths: Object.fromEntries(Object.entries(paths).sort(([left], [right]) => (left < right ? -1 : 1))),
    components: {
      schemas: { ...merged(parts, 'schemas'), ...eventSchemas },
      securitySchemes: merged(parts, 'securitySchemes'),
    },
  };
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter(isMethod)
      .map((method) => ({ method, path })),
  );
  return { document, operations, problems };
};
