import type { Collection } from '../collections/collection-registry.ts';
import { valueAt } from '../fields/value-at.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import type { Incoming } from './incoming.ts';

/** A record that no longer names others. */
export interface Loosened {
  readonly collection: Collection;
  /** As it is. */
  readonly document: RecordDocument;
  /** As they will be. */
  fields: Fields;
  /** The key of the record that it named first. */
  readonly parent: string;
}

/** Fields in which a reference names none of some records: null for a text, an array without them. */
export function without(fields: Fields, segments: readonly string[], ids: ReadonlySet<string>): Fields {
  const copy = structuredClone(fields);
  const around = valueAt(copy, segments.slice(0, -1)) as Record<string, unknown>;
  const name = segments.at(-1) ?? '';
  const value = around[name];
  around[name] = Array.isArray(value) ? value.filter((each) => !ids.has(each as string)) : null;
  return copy;
}

/** Has a record name none of some others by one field; it may name some by other fields too. */
export function loosen(
  loosened: Map<string, Loosened>,
  given: {
    readonly incoming: Incoming;
    readonly document: RecordDocument;
    readonly ids: readonly string[];
    readonly parent: string;
  },
): void {
  const { incoming, document, ids, parent } = given;
  const { from, reference } = incoming;
  const key = `${from.id}/${document._id}`;
  const known = loosened.get(key) ?? { collection: from, document, fields: document.fields, parent };
  known.fields = without(known.fields, reference.segments, new Set(ids));
  loosened.set(key, known);
}
