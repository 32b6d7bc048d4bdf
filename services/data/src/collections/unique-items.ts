import type { FuncKeywordDefinition, SchemaValidateFunction } from 'ajv';

const hasUniqueItems: SchemaValidateFunction = (isDemanded: boolean, items: readonly unknown[]): boolean => {
  if (!isDemanded) return true;
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const text = canonicalJson(item);
    const earlier = seen.get(text);
    if (earlier !== undefined) {
      const message = `must not have equal items: ${earlier} and ${index} are`;
      hasUniqueItems.errors = [{ keyword: 'uniqueItems', message, params: { i: index, j: earlier } }];
      return false;
    }
    seen.set(text, index);
  }
  return true;
};

/**
 * `uniqueItems` of JSON Schema 2020-12 (Validation §6.4.3) in linear time. Ajv's own compares each item with each other
 * one, also where there are more of them than `maxItems` allows: with all faults told, one does not stop the next.
 */
export const uniqueItems: FuncKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  validate: hasUniqueItems,
};

/** The same text for the same JSON value: an object's members have no order (JSON Schema Core §4.2.2). */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
