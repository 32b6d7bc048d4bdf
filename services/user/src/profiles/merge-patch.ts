const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * JSON Merge Patch (RFC 7396 §2). Neither argument is changed.
 *
 * @param target - what is there; undefined where there is nothing
 * @param patch - objects are merged, `null` removes, everything else replaces
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = new Map<string, unknown>(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else if (value !== undefined) result.set(name, mergePatch(result.get(name), value));
  }
  // fromEntries defines properties, so that __proto__ is one like the others.
  return Object.fromEntries(result);
}
