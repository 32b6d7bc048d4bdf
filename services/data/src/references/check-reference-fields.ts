import { schemaAt } from '../collections/schema-at.ts';
import type { RecordSchema } from '../collections/record-schema.ts';
import type { SchemaObject } from '../collections/walk-schema.ts';
import { isSchemaObject } from '../collections/walk-schema.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField } from '../fields/declared-field.ts';

const maxReferences = 20;

/**
 * Checks that the schema declares references as what they can be: a text, null too where it says so, or an array of texts.
 *
 * @param declared - what the definition says of fields
 * @param schema - the definition's; what `null` leaves has to be something that it takes
 * @param pointer - where `fields` stands, for the faults
 */
export function checkReferenceFields(
  declared: readonly DeclaredField[],
  { source: schema, validate }: Pick<RecordSchema, 'source' | 'validate'>,
  pointer: string,
): LocatedFault[] {
  const references = declared.filter(({ reference }) => reference !== undefined);
  if (references.length > maxReferences) {
    return [{ pointer, code: 'invalid-fields', message: `Give at most ${maxReferences} references.` }];
  }
  return references.flatMap(({ path, segments, reference }): LocatedFault[] => {
    const at = pointerTo(pointerTo(pointer, path), 'reference');
    const found = schemaAt(schema, segments);
    if (!isText(found) && !isTexts(found)) return [{ pointer: at, code: 'invalid-option', message: messages.type }];
    if (reference?.onDelete !== 'null') return [];
    const left = isTexts(found) ? [] : null;
    const record = segments.reduceRight<unknown>((inner, segment) => ({ [segment]: inner }), left);
    const place = segments.reduce<string>(pointerTo, '');
    // What else such a record lacks says nothing of the reference.
    return validate(record).some((fault) => fault.pointer === place || fault.pointer.startsWith(`${place}/`))
      ? [{ pointer: pointerTo(at, 'onDelete'), code: 'invalid-option', message: messages.left }]
      : [];
  });
}

const messages = {
  type: 'Declare the field in the schema as `"type": "string"`, as `["string", "null"]`, or as an array whose `items` have `"type": "string"`.',
  left: 'Have the schema take null there, or an array without elements: that is what `"onDelete": "null"` leaves.',
} as const;

const hasTypes = (schema: SchemaObject | undefined, main: string): boolean => {
  const types: unknown[] = [schema?.type].flat();
  return types.includes(main) && types.every((type) => type === main || type === 'null');
};

const isText = (schema: SchemaObject | undefined): boolean => hasTypes(schema, 'string');

const isTexts = (schema: SchemaObject | undefined): boolean => {
  if (!hasTypes(schema, 'array')) return false;
  const { items } = schema as { items?: unknown };
  return isSchemaObject(items) && items.type === 'string' && schema?.prefixItems === undefined;
};
