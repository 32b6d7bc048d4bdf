import type { Collection } from '../collections/collection-registry.ts';
import { memberOf } from './operation.ts';
import type { Operation } from './operation.ts';
import { faultOfOperation } from './batch.errors.ts';
import { referencesOf } from '../references/declared-references.ts';
import { demandUnreferenced } from '../references/demand-unreferenced.ts';
import { findMissing, notThere } from '../references/keep-references.ts';
import type { Incoming } from '../references/incoming.ts';
import { findIncoming } from '../references/incoming.ts';
import type { Asking, Lookup } from '../references/lookup.ts';
import { collectionBy } from '../references/lookup.ts';
import { idsAt, newlyNamed } from '../references/referenced-ids.ts';
import type { NamedRecord } from '../references/referenced-ids.ts';
import type { Fields } from '../records/record.model.ts';
import { decide } from '../rules/rule.ts';
import type { WorkingRecords } from './working-records.ts';

/** What {@link createBatchReferences} is given. */
export interface BatchReferencesOptions {
  readonly lookup: Lookup;
  readonly asking: Asking;
  readonly records: WorkingRecords;
}

/** Has the operations of a batch keep to references, each by what those before it have left. */
export interface BatchReferences {
  /** A record is about to have these fields. @throws Fault `reference-not-found` */
  wrote(index: number, collection: Collection, before: Fields | undefined, after: Fields): Promise<void>;
  /** A record is gone from the working records. @throws Fault `still-referenced` */
  removed(collection: Collection, id: string): Promise<void>;
  /**
   * Looks for what was named and is no record of the batch: all at once.
   *
   * @returns what has to stay until the commit
   * @throws the fault of the first operation that names something that is not there
   */
  settle(
    operations: readonly Operation[],
  ): Promise<readonly { readonly collection: Collection; readonly id: string }[]>;
}

/** Makes the {@link BatchReferences} of one batch, in its transaction. */
export function createBatchReferences({ lookup, asking, records }: BatchReferencesOptions): BatchReferences {
  const { caller, at } = asking;
  const gone = new Set<string>();
  const incoming = new Map<string, readonly Incoming[]>();
  const named: (NamedRecord & { readonly index: number })[] = [];

  /** Records of the batch, those that are gone too: what MongoDB has of them is of before. */
  const touched = (collection: Collection): readonly string[] => [
    ...records.of(collection).map(({ _id }) => _id),
    ...[...gone].flatMap((key) => (key.startsWith(`${collection.id}/`) ? [key.slice(collection.id.length + 1)] : [])),
  ];

  return {
    async wrote(index, collection, before, after) {
      const missing: NamedRecord[] = [];
      for (const each of newlyNamed(referencesOf(collection), before, after)) {
        const target = await collectionBy(lookup, each.target);
        const document = target === undefined ? undefined : records.get(target, each.id);
        if (target === undefined || gone.has(`${each.target}/${each.id}`)) missing.push(each);
        else if (document === undefined) named.push({ ...each, index });
        else if (!decide(target.rules.read, caller, document, { at })) missing.push(each);
      }
      if (missing.length > 0) throw notThere(missing);
    },

    async removed(collection, id) {
      gone.add(`${collection.id}/${id}`);
      const known = incoming.get(collection.id) ?? (await findIncoming(lookup, collection, asking.session));
      incoming.set(collection.id, known);
      await demandUnreferenced(lookup, collection, id, {
        ...asking,
        incoming: known,
        written: {
          ids: touched,
          referring: ({ from, reference }) =>
            records.of(from).filter(({ fields }) => idsAt(fields, reference.segments).some((each) => each.id === id)),
        },
      });
    },

    async settle(operations) {
      if (named.length === 0) return [];
      const [first, ...others] = await findMissing(lookup, named, asking);
      if (first !== undefined) {
        const { index } = first;
        const own = [first, ...others].filter((each) => each.index === index);
        const operation = operations[index];
        throw faultOfOperation(notThere(own), index, operation === undefined ? '' : memberOf(operation));
      }
      const held: { collection: Collection; id: string }[] = [];
      for (const { target, id } of named) {
        const collection = await collectionBy(lookup, target);
        if (collection !== undefined) held.push({ collection, id });
      }
      return held;
    },
  };
}
