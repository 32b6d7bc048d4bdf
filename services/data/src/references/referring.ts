import type { Filter } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { Incoming } from './incoming.ts';
import { idsAt } from './referenced-ids.ts';

/** Tells a record from all others. */
export const keyOf = ({ id }: Pick<Collection, 'id'>, recordId: string): string => `${id}/${recordId}`;

/** Records that a transaction is about to write, and has not yet: what MongoDB has of them is of before. */
export interface Unwritten {
  /** The ids of one collection's, those too that are to be deleted. */
  readonly ids: (collection: Collection) => readonly string[];
  /** One collection's that will be there, as they will be. */
  readonly records: (collection: Collection) => readonly RecordDocument[];
}

/** Whether a record names one of some others by a field. */
export const names = (document: RecordDocument, { reference }: Incoming, ids: ReadonlySet<string>): boolean =>
  idsAt(document.fields, reference.segments).some(({ id }) => ids.has(id));

/**
 * The records that refer to some others by a field.
 *
 * @param ids - of those that are referred to
 * @param unwritten - what the transaction is about to write
 * @param goes - the keys of those that go already
 * @returns what to ask MongoDB for, and those that it does not have as they will be
 */
export function referring(
  incoming: Incoming,
  ids: readonly string[],
  unwritten: Unwritten | undefined,
  goes: Iterable<string>,
): { readonly filter: Filter<RecordDocument>; readonly unwritten: readonly RecordDocument[] } {
  const { from, reference } = incoming;
  const going = new Set(
    [...goes].flatMap((key) => (key.startsWith(`${from.id}/`) ? [key.slice(from.id.length + 1)] : [])),
  );
  const others = [...going, ...(unwritten?.ids(from) ?? [])];
  const wanted = new Set(ids);
  return {
    filter: { [reference.storage]: { $in: [...ids] }, ...(others.length === 0 ? {} : { _id: { $nin: others } }) },
    unwritten: (unwritten?.records(from) ?? []).filter((each) => !going.has(each._id) && names(each, incoming, wanted)),
  };
}
