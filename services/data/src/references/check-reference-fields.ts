import { schemaAt } from '../collections/schema-at.ts';
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
 * @param schema - the definition's
 * @param pointer - where `fields` stands, for the faults
 */
export function checkReferenceFields(
  declared: readonly DeclaredField[],
  schema: SchemaObject,
  pointer: string,
): LocatedFault[] {
  const references = declared.filter(({ reference }) => reference !== undefined);
  if (references.length > maxReferences) {
    return [{ pointer, code: 'invalid-fields', message: `Give at most ${maxReferences} references.` }];
  }
  return references.flatMap(({ path, segments }) =>
    isText(schemaAt(schema, segments)) || isTexts(schemaAt(schema, segments))
      ? []
      : [
          {
            pointer: pointerTo(pointerTo(pointer, path), 'reference'),
            code: 'invalid-option',
            message:
              'Declare the field in the schema as `"type": "string"`, as `["string", "null"]`, or as an array whose `items` have `"type": "string"`.',
          },
        ],
  );
}

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
