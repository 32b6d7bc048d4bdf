import { isContainer } from '../conditions/values-at.ts';

/**
 * What stands at a path with objects only on the way; undefined where it is missing.
 *
 * @param fields - of a record
 */
export function valueAt(fields: unknown, segments: readonly string[]): unknown {
  let current = fields;
  for (const segment of segments) {
    if (!isContainer(current) || !Object.hasOwn(current, segment)) return undefined;
    current = current[segment];
  }
  return current;
}
