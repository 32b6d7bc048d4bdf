import { isDeepStrictEqual } from 'node:util';

import type { Definition } from './collection.model.ts';
import { geoPlacesOf } from './geo-places.ts';
import type { CompiledDefinition } from './parse-definition.ts';

/** Whether definitions are the same, in order too: it is that of an index's keys, and of a CSV's columns. */
export const isSame = (one: Definition, other: Definition): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether records that keep to a definition might break a new one. */
export function asksMore({ source, places }: CompiledDefinition, current: Definition): boolean {
  const known = new Set(geoPlacesOf(current.indexes).map((segments) => segments.join('.')));
  return !isDeepStrictEqual(source.schema, current.schema) || places.some((each) => !known.has(each.join('.')));
}
