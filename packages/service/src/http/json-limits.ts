import { faults, jsonPointer, type FaultLocation } from '@causeway/contracts';

/** Deepest nesting of a JSON body: what is deeper is no record, and costs more to walk than to send. */
export const deepestJson = 64;

const refuse = (error: FaultLocation): never => {
  throw faults.invalidRequest({ errors: [error] });
};

interface Place {
  readonly value: object;
  readonly key: string;
  readonly parent: Place | undefined;
  readonly depth: number;
}

/** An answer must not be many times what was sent: of a place that takes longer to tell, what is around it is told. */
const longestPointer = 512;

const pointerOf = (place: Place, ...more: readonly string[]): string => {
  const path = [...more];
  for (let at = place; at.parent !== undefined; at = at.parent) path.unshift(at.key);
  let pointer = '';
  for (const key of path) {
    const longer = `${pointer}${jsonPointer([key])}`;
    if (longer.length > longestPointer) break;
    pointer = longer;
  }
  return pointer;
};

/** Keys through which a careless merge reaches the prototype of every object, and the one by which MongoDB's driver tells its own types. */
const checkKey = (place: Place, key: string, value: unknown): void => {
  const dangerous =
    key === '__proto__' ||
    key === '_bsontype' ||
    (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'));
  if (dangerous) {
    refuse({ pointer: pointerOf(place, key), code: 'forbidden-name', message: `A field may not be called ${key}.` });
  }
};

/**
 * Refuses JSON that is nested deeper than {@link deepestJson} or holds `__proto__`, `constructor.prototype` or `_bsontype`.
 * Walks with a stack of its own: depth is the caller's.
 *
 * @param root - as `JSON.parse` gave it
 * @throws Fault `invalid-request`
 */
export const checkJsonLimits = (root: unknown): void => {
  if (typeof root !== 'object' || root === null) return;
  const waiting: Place[] = [{ value: root, key: '', parent: undefined, depth: 1 }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { value, depth } = place;
    if (depth > deepestJson) {
      const message = `JSON may be nested at most ${deepestJson} levels deep.`;
      refuse({ pointer: pointerOf(place), code: 'too-deep', message });
    }
    const isArray = Array.isArray(value);
    for (const key of Object.keys(value)) {
      const child = (value as Record<string, unknown>)[key];
      if (!isArray) checkKey(place, key, child);
      if (typeof child === 'object' && child !== null) {
        waiting.push({ value: child, key, parent: place, depth: depth + 1 });
      }
    }
  }
};
