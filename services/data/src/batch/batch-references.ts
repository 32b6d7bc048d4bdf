import type { Collection } from '../collections/collection-registry.ts';
import { memberOf } from './operation.ts';
import type { Operation } from './operation.ts';
import { batchTooLarge, faultOfOperation } from './batch.errors.ts';
import { referencesOf } from '../references/declared-references.ts';
import { findMissing, notThere } from '../references/keep-references.ts';
import type { Incoming } from '../references/incoming.ts';
import { findIncoming } from '../references/incoming.ts';
import type { Asking, Lookup } from '../references/lookup.ts';
import { collectionBy } from '../references/lookup.ts';
import type { Dependent } from '../references/plan-deletion.ts';
import { dependentsBudget, planDeletion } from '../references/plan-deletion.ts';
import { keyOf } from '../references/referring.ts';
import { newlyNamed } from '../references/referenced-ids.ts';
import type { NamedRecord } from '../references/referenced-ids.ts';
import { changed } from '../records/changed.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import type { Follow, FollowFrom } from '../rules/follow/follow-records.ts';
import { decide } from '../rules/rule.ts';
import type { WorkingRecords } from './working-records.ts';

/** What {@link createBatchReferences} is given. */
export interface BatchReferencesOptions {
  readonly lookup: Lookup;
  readonly asking: Asking & Pick<FollowFrom, 'asLeft'>;
  readonly by: string | undefined;
  readonly records: WorkingRecords;
  /** By the records as the operations so far leave them. */
  readonly follow: Follow;
}

/** Has the operations of a batch keep to references, each by what those before it have left. */
export interface BatchReferences {
  /** A record is about to have these fields. @throws Fault `reference-not-found`, `batch-too-large` */
  wrote(index: number, collection: Collection, before: Fields | undefined, after: Fields): Promise<void>;
  /**
   * A record is gone from the working records; what follows from that is done to them too.
   *
   * @returns what is to be written after it
   * @throws Fault `still-referenced`, `too-many-dependents`
   */
  removed(collection: Collection, document: RecordDocument): Promise<readonly Dependent[]>;
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

/** Records beside its own that one batch may name: each is written to, and held until the commit. */
const mostNamed = 5_000;

/** Makes the {@link BatchReferences} of one batch, in its transaction. */
export function createBatchReferences({
  lookup,
  asking,
  by,
  records,
  follow,
}: BatchReferencesOptions): BatchReferences {
  const { caller, at } = asking;
  const gone = new Set<string>();
  const budget = dependentsBudget();
  const incoming = new Map<string, readonly Incoming[]>();
  const incomingOf = async (collection: Collection): Promise<readonly Incoming[]> => {
    const known = incoming.get(collection.id) ?? (await findIncoming(lookup, collection, asking.session));
    incoming.set(collection.id, known);
    return known;
  };
  /** Those that are yet to be looked for; where a rule follows references, that has been done when they were named. */
  const unseen: (NamedRecord & { readonly index: number })[] = [];
  const named: NamedRecord[] = [];
  const keysOfNamed = new Set<string>();
  const name = (each: NamedRecord, index: number, isUnseen: boolean): void => {
    named.push(each);
    if (isUnseen) unseen.push({ ...each, index });
    keysOfNamed.add(`${each.target}/${each.id}`);
    if (keysOfNamed.size <= mostNamed) return;
    const detail = `Its operations refer to more than ${mostNamed} records that are there. Send it in several.`;
    throw batchTooLarge({ detail });
  };

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
        else if (document === undefined) {
          const follows = target.follows.read.length > 0;
          if (follows && (await findMissing(lookup, [each], asking)).length > 0) missing.push(each);
          else name(each, index, !follows);
        } else {
          const seeing = await follow(target, caller, [document]);
          if (!decide(target.rules.read, seeing, document, { at })) missing.push(each);
        }
      }
      if (missing.length > 0) throw notThere(missing);
    },

    async removed(collection, document) {
      gone.add(keyOf(collection, document._id));
      const dependents = await planDeletion(lookup, collection, document, {
        ...asking,
        ...{ by, budget, incomingOf },
        unwritten: { ids: touched, records: (each) => records.of(each) },
      });
      for (const { key, collection: from, write } of dependents) {
        if (write.kind === 'delete') {
          gone.add(key);
          records.remove(from, write.current._id);
        } else records.put(from, changed(write.current, write.decision, at));
      }
      return dependents;
    },

    async settle(operations) {
      if (named.length === 0) return [];
      const [first, ...others] = await findMissing(lookup, unseen, asking);
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
