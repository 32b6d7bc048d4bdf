import { isDeepStrictEqual } from 'node:util';

import type { JsonSchema } from './json-schema.ts';

/** One change between two schemas. */
export interface SchemaChange {
  /** Where, as one reads it: `roles[]`, `preferences.*`; empty for the whole. */
  readonly path: string;
  /** What has become of it: `has become optional`. */
  readonly words: string;
  /** Readers that were deployed before may not be able to read what is recorded now, or miss something in it. */
  readonly breaksReaders: boolean;
  /** What was recorded before, and by whoever is not deployed anew yet, may not be readable now. */
  readonly breaksLog: boolean;
}

/** Two schemas that are compared, and where. */
export interface Sides {
  readonly path: string;
  readonly before: JsonSchema;
  readonly after: JsonSchema;
  /** Where references lead to. */
  readonly rootBefore: JsonSchema;
  readonly rootAfter: JsonSchema;
  /** What has been compared. */
  readonly seen: Map<JsonSchema, Set<JsonSchema>>;
}

/** Tells what has changed. */
export type Compare = (sides: Sides) => readonly SchemaChange[];

/** A change, and what it breaks: nothing where nothing is said. */
export const changeAt = (
  path: string,
  words: string,
  { readers = false, log = false }: { readonly readers?: boolean; readonly log?: boolean },
): SchemaChange => ({ path, words, breaksReaders: readers, breaksLog: log });

/** A value that should be an object; empty where it is none. */
export const asSchema = (value: unknown): JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {};

/** Schemas in a list; none where it is none. */
export const membersOf = (value: unknown): readonly JsonSchema[] => (Array.isArray(value) ? value.map(asSchema) : []);

/** Words about a schema, which hold nobody to anything. */
const annotations = new Set([
  ...['$schema', '$id', '$comment', 'title', 'description', 'examples', 'default', 'deprecated', 'readOnly'],
  'writeOnly',
]);

/** Whether a keyword says nothing about values. */
export const isAnnotation = (keyword: string): boolean => annotations.has(keyword);

const constraintsOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(constraintsOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key, each]) => !isAnnotation(key) || typeof each === 'object'),
  );
};

/** Whether two parts of schemas say the same, whatever words are around it. */
export const isSame = (left: unknown, right: unknown): boolean =>
  isDeepStrictEqual(constraintsOf(left), constraintsOf(right));

/**
 * A schema behind its reference into its own document (`#`, `#/$defs/…`).
 *
 * @throws Error where the reference leads elsewhere, or nowhere
 */
export const resolved = (schema: JsonSchema, root: JsonSchema): JsonSchema => {
  const { $ref } = schema;
  if (typeof $ref !== 'string') return schema;
  const steps = $ref.split('/').slice(1);
  const found = steps.reduce<unknown>((at, step) => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return asSchema(at)[key];
  }, root);
  if (!$ref.startsWith('#') || found === undefined) throw new Error(`a schema refers to ${$ref}, which is not there`);
  return asSchema(found);
};
