/** The media type of {@link mergePatch}. */
export const mergePatchType = 'application/merge-patch+json';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Applies a JSON Merge Patch (RFC 7396 §2): null removes, objects merge, everything else replaces.
 *
 * @param target - not changed
 * @param patch - without `__proto__`, bounded in depth: the HTTP layer has seen to it
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}
