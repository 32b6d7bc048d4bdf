import type { Condition, Value } from '../conditions/condition.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import { readableFilter } from './lookup.ts';
import type { Asking, Lookup } from './lookup.ts';
import type { Incoming } from './incoming.ts';
import { referring } from './referring.ts';
import type { Unwritten } from './referring.ts';
import { stillReferenced } from './references.errors.ts';

/** Records that are there for as long as others refer to them by a field. */
export interface Kept {
  readonly incoming: Incoming;
  readonly ids: readonly string[];
}

const maxExamples = 5;

/** Of those that refer: a caller may see few of many, and the transaction does not wait until they are found. */
const mostLookedAt = 200;

/**
 * Makes sure that nothing stays which refers to what is to be deleted.
 *
 * @param kept - by which fields to look for what
 * @param goes - the keys of all that goes
 * @throws Fault `still-referenced`
 */
export async function demandNoneKept(
  lookup: Pick<Lookup, 'db'>,
  kept: readonly Kept[],
  goes: ReadonlySet<string>,
  asking: Asking & { readonly unwritten?: Unwritten },
): Promise<void> {
  for (const { incoming, ids } of kept) {
    const { filter, unwritten } = referring(incoming, ids, asking.unwritten, goes);
    const options = { projection: { _id: 1 }, session: asking.session };
    if (unwritten.length === 0 && (await incoming.from.records.native.findOne(filter, options)) === null) continue;
    throw stillReferenced({ extensions: { examples: await examplesOf(lookup, kept, goes, asking) } });
  }
}

/** That a record names one of some, as whoever asks sees it: in a field that is hidden it names nothing. */
const namesOne = ({ reference: { segments, storage } }: Incoming, ids: readonly string[]): Condition<Value> => ({
  kind: 'field',
  path: { text: segments.join('.'), storage, segments: [fieldsKey, ...segments], holds: 'json' },
  atom: { op: 'in', operands: ids },
});

/** Some of the records that stay, among those that the caller may see, and see to name what is to go. */
async function examplesOf(
  lookup: Pick<Lookup, 'db'>,
  kept: readonly Kept[],
  goes: ReadonlySet<string>,
  asking: Asking & { readonly unwritten?: Unwritten },
): Promise<readonly { collection: string; id: string }[]> {
  const examples: { collection: string; id: string }[] = [];
  for (const { incoming, ids } of kept) {
    const { from } = incoming;
    const { filter } = referring(incoming, ids, asking.unwritten, goes);
    const rows = from.records.native.aggregate<{ readonly _id: string }>(
      [
        { $match: filter },
        { $limit: mostLookedAt },
        { $match: await readableFilter(lookup, from, asking, namesOne(incoming, ids)) },
        { $limit: maxExamples - examples.length },
        { $project: { _id: 1 } },
      ],
      { session: asking.session },
    );
    for await (const { _id } of rows) examples.push({ collection: from.name, id: _id });
    if (examples.length >= maxExamples) break;
  }
  return examples;
}
