import type { ScalarType } from '../sorting/sort.ts';
import type { SchemaObject } from './walk-schema.ts';
import { isSchemaObject, resolveReference } from './walk-schema.ts';

/**
 * Says which scalar types a schema allows at a path, so that records can be sorted by it.
 *
 * Only what is plain is seen: objects along the way, declared as such, and a type or an enumeration at the end, directly or
 * through references. More could be derived from combinations; wrongly derived, it would lose rows from pages.
 *
 * @param schema - A collection's schema.
 * @param segments - The path below a record's fields.
 * @returns The types without null, or undefined where the schema does not rule out arrays and objects.
 */
export function scalarTypesAt(schema: SchemaObject, segments: readonly string[]): ReadonlySet<ScalarType> | undefined {
  let current: SchemaObject | undefined = schema;
  for (const [index, segment] of segments.entries()) {
    // The top level is an object whether it says so or not.
    if (index > 0 && current.type !== 'object') return undefined;
    const { properties } = current as { properties?: unknown };
    if (!isSchemaObject(properties) || !Object.hasOwn(properties, segment)) return undefined;
    current = followReferences(schema, properties[segment]);
    if (current === undefined) return undefined;
  }
  return typesOf(current);
}

function followReferences(root: SchemaObject, schema: unknown): SchemaObject | undefined {
  let current = isSchemaObject(schema) ? schema : undefined;
  // checkSchema has refused references that lead back to themselves.
  while (current !== undefined && typeof current.$ref === 'string') current = resolveReference(root, current.$ref);
  return current;
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
