/**
 * JSON text in which equal values are equal text: the properties of objects are in order of their UTF-16 code units (RFC 8785 §3.2.3).
 *
 * @param value - a JSON value; properties that are `undefined` are left out, as in `JSON.stringify`; nothing is `null`
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value ?? null));

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value) return value;
  // A null prototype, so that a property named __proto__ is a property.
  const result = Object.create(null) as Record<string, unknown>;
  for (const [name, each] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    result[name] = sorted(each);
  }
  return result;
};
