import type { ScalarType } from '../sorting/sort.ts';
import { schemaAt } from './schema-at.ts';
import type { SchemaObject } from './walk-schema.ts';

/**
 * Says which scalar types a schema allows at a path, so that records can be sorted by it.
 *
 * More could be derived from combinations; wrongly derived, it would lose rows from pages.
 *
 * @param schema - A collection's schema.
 * @param segments - The path below a record's fields.
 * @returns The types without null, or undefined where the schema does not rule out arrays and objects.
 */
export function scalarTypesAt(schema: SchemaObject, segments: readonly string[]): ReadonlySet<ScalarType> | undefined {
  const found = schemaAt(schema, segments);
  return found === undefined ? undefined : typesOf(found);
}

function typesOf(schema: SchemaObject): ReadonlySet<ScalarType> | undefined {
  const { type } = schema;
  const declared: unknown[] = Array.isArray(type) ? type : type === undefined ? enumerated(schema) : [type];
  const types = new Set<ScalarType>();
  for (const name of declared) {
    if (name === 'integer' || name === 'number') types.add('number');
    else if (name === 'string' || name === 'boolean') types.add(name);
    else if (name !== 'null') return undefined;
  }
  return declared.length === 0 ? undefined : types;
}

function enumerated(schema: SchemaObject): string[] {
  const values: unknown[] = Array.isArray(schema.enum)
    ? schema.enum
    : Object.hasOwn(schema, 'const')
      ? [schema.const]
      : [];
  return values.map((value) => (value === null ? 'null' : typeof value));
}
