import type { Filter } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { Incoming } from './incoming.ts';
import { findIncoming } from './incoming.ts';
import type { Asking, Lookup } from './lookup.ts';
import { readableFilter } from './lookup.ts';
import { stillReferenced } from './references.errors.ts';

const maxExamples = 5;

/** Records that the transaction is about to write, and has not yet: what MongoDB has of them is of before. */
export interface Unwritten {
  /** Of one collection, those too that are to be deleted. */
  readonly ids: (collection: Collection) => readonly string[];
  /** Of those that are there, the ones that refer to the record that is to be deleted. */
  readonly referring: (incoming: Incoming) => readonly RecordDocument[];
}

/** Who deletes; and what else is about to be written. */
export interface AskingToDelete extends Asking {
  /** What `findIncoming` has found in this transaction; it is asked where nothing is said. */
  readonly incoming?: readonly Incoming[];
  readonly written?: Unwritten;
}

/** The records that refer to another one by a field, as MongoDB has them; one that refers to itself goes with itself. */
const referring = (
  { from, reference }: Incoming,
  to: Collection,
  id: string,
  written: Unwritten | undefined,
): Filter<RecordDocument> => {
  const others = [...(from.id === to.id ? [id] : []), ...(written?.ids(from) ?? [])];
  return { [reference.storage]: id, ...(others.length === 0 ? {} : { _id: { $nin: others } }) };
};

/** Some of the records that refer to another one, among those that the caller may see. */
async function examplesOf(
  incoming: readonly Incoming[],
  to: Collection,
  id: string,
  asking: AskingToDelete,
): Promise<readonly { collection: string; id: string }[]> {
  const examples: { collection: string; id: string }[] = [];
  for (const each of incoming) {
    const { from } = each;
    const filter = referring(each, to, id, asking.written);
    const rows = from.records.native.find(
      { $and: [filter, readableFilter(from, asking)] },
      { projection: { _id: 1 }, limit: maxExamples - examples.length, session: asking.session },
    );
    for await (const { _id } of rows) examples.push({ collection: from.name, id: _id });
    if (examples.length >= maxExamples) break;
  }
  return examples;
}

/**
 * Makes sure that nothing refers to a record that is to be deleted, in the transaction that deletes it.
 *
 * @throws Fault `still-referenced`; OutdatedDefinition
 */
export async function demandUnreferenced(
  lookup: Lookup,
  to: Collection,
  id: string,
  asking: AskingToDelete,
): Promise<void> {
  const { session, written } = asking;
  const incoming = asking.incoming ?? (await findIncoming(lookup, to, session));
  for (const each of incoming) {
    const filter = referring(each, to, id, written);
    const isLoose =
      (written?.referring(each) ?? []).length === 0 &&
      (await each.from.records.native.findOne(filter, { projection: { _id: 1 }, session })) === null;
    if (isLoose) continue;
    const examples = await examplesOf(incoming, to, id, asking);
    throw stillReferenced({ extensions: { examples } });
  }
}
