import { isObject } from '../conditions/plain-value.ts';

/** An object or an array of a record that is being changed. */
type Holder = Record<string, unknown> | unknown[];

/** What stands at a path: a value; nothing, but it could; or nothing, because of what stands on the way. */
export type Found =
  | { readonly kind: 'there'; readonly holder: Holder; readonly key: string; readonly value: unknown }
  | { readonly kind: 'missing' }
  | { readonly kind: 'blocked'; readonly code: 'does-not-fit' | 'no-such-place'; readonly reason: string };

/** A place in an array has one spelling. */
const placePattern = /^(?:0|[1-9]\d{0,8})$/;

/**
 * Looks at a path as MongoDB's update operators do: a whole number names a place where an array stands, and a member where
 * an object does. Unlike MongoDB, which would fill up an array with nulls, a place behind the next one is blocked.
 *
 * @param root - a record's fields
 */
export function findAt(root: Record<string, unknown>, segments: readonly string[]): Found {
  let holder: Holder = root;
  for (const [index, segment] of segments.entries()) {
    const way = segments.slice(0, index).join('.');
    const isPlace = placePattern.test(segment);
    if (Array.isArray(holder)) {
      if (!isPlace) return blocked('does-not-fit', `\`${way}\` is a list: name a place in it by its number.`);
      if (Number(segment) > holder.length) {
        return blocked('no-such-place', `\`${way}\` has ${holder.length} elements, and no such place.`);
      }
    }
    if (!Object.hasOwn(holder, segment)) return { kind: 'missing' };
    const value: unknown = (holder as Record<string, unknown>)[segment];
    if (index === segments.length - 1) return { kind: 'there', holder, key: segment, value };
    if (!Array.isArray(value) && !isObject(value)) {
      const there = segments.slice(0, index + 1).join('.');
      return blocked('does-not-fit', `\`${there}\` holds a single value: nothing can be within it.`);
    }
    holder = value as Holder;
  }
  return { kind: 'missing' };
}

const blocked = (code: 'does-not-fit' | 'no-such-place', reason: string): Found => ({ kind: 'blocked', code, reason });

/**
 * Puts a value at a path that {@link findAt} has found there or missing; makes the objects on the way that are missing.
 *
 * @param root - a record's fields; changed
 */
export function setAt(root: Record<string, unknown>, segments: readonly string[], value: unknown): void {
  let holder = root;
  for (const segment of segments.slice(0, -1)) {
    if (!Object.hasOwn(holder, segment)) holder[segment] = {};
    holder = holder[segment] as Record<string, unknown>;
  }
  const key = segments.at(-1);
  if (key !== undefined) holder[key] = value;
}
