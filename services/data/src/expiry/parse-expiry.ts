import { schemaAt } from '../collections/schema-at.ts';
import type { SchemaObject } from '../collections/walk-schema.ts';
import { isSchemaObject } from '../collections/walk-schema.ts';
import { fieldsKey, parseFieldPath } from '../conditions/field-path.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { Expiry } from './expiry-of.ts';

/**
 * Parses the `expiry` of a definition: `{field}`, which the schema makes a time or null.
 *
 * @param json - undefined where records stay
 * @param schema - the definition's, in which the field has to be declared; undefined where it is faulty itself
 * @param pointer - where it stands, for the faults
 */
export function parseExpiry(
  json: unknown,
  schema: SchemaObject | undefined,
  pointer: string,
): Parsed<Expiry | undefined> {
  if (json === undefined) return { ok: true, value: undefined };
  const { field, ...others }: SchemaObject = isSchemaObject(json) ? json : {};
  if (typeof field !== 'string') {
    return refused(pointer, 'invalid-expiry', 'Give {"field": …} with the dotted path of a field that holds a time.');
  }
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return refused(pointerTo(pointer, unknown), 'unknown-field', 'An expiry has a field.');
  const at = pointerTo(pointer, 'field');
  const parsed = parseFieldPath(field, 'record', at);
  if (!parsed.ok) return parsed;
  const [root, ...segments] = parsed.value.segments;
  if (root !== fieldsKey)
    return refused(at, 'invalid-path', `Name a field of the schema: \`${field}\` is kept by the service.`);
  if (schema !== undefined && !isTime(schemaAt(schema, segments))) {
    const message =
      'Declare the field in the schema as `"type": "string", "format": "date-time"`, or as `["string", "null"]` with that format, with objects (`"type": "object"`) only on the way to it.';
    return refused(at, 'invalid-path', message);
  }
  return { ok: true, value: { field, segments } };
}

/** Whether a schema takes nothing but times, and null. */
function isTime(schema: SchemaObject | undefined): boolean {
  const types: unknown[] = [schema?.type].flat();
  const isText = types.includes('string') && types.every((type) => type === 'string' || type === 'null');
  return isText && schema?.format === 'date-time';
}

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
