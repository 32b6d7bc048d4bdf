import type { SchemaObject } from './walk-schema.ts';
import { isSchemaObject, resolveReference } from './walk-schema.ts';

/**
 * Finds what a schema declares at a path.
 *
 * Only what is plain is seen: objects along the way, declared as such, and a property at the end, directly or through
 * references. So no array can stand on the way.
 *
 * @param schema - A collection's schema.
 * @param segments - The path below a record's fields.
 * @returns The schema there, its references followed; undefined where the path is not declared.
 */
export function schemaAt(schema: SchemaObject, segments: readonly string[]): SchemaObject | undefined {
  let current: SchemaObject | undefined = schema;
  for (const [index, segment] of segments.entries()) {
    // The top level is an object whether it says so or not.
    if (index > 0 && current.type !== 'object') return undefined;
    const { properties } = current as { properties?: unknown };
    if (!isSchemaObject(properties) || !Object.hasOwn(properties, segment)) return undefined;
    current = followReferences(schema, properties[segment]);
    if (current === undefined) return undefined;
  }
  return current;
}

function followReferences(root: SchemaObject, schema: unknown): SchemaObject | undefined {
  // `true` takes everything, as a schema without a word does.
  let current = schema === true ? {} : isSchemaObject(schema) ? schema : undefined;
  // checkSchema has refused references that lead back to themselves.
  while (current !== undefined && typeof current.$ref === 'string') current = resolveReference(root, current.$ref);
  return current;
}
