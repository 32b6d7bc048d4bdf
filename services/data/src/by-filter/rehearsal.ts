import type { Collection } from '../collections/collection-registry.ts';
import { changed } from '../records/changed.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { Dependent } from '../references/plan-deletion.ts';
import type { Unwritten } from '../references/referring.ts';
import { keyOf } from '../references/referring.ts';

/** Deletes that are only said, and what follows from them: each is decided by what those before it would have left. */
export interface Rehearsal {
  /** For `planDeletion`. */
  readonly unwritten: Unwritten;
  /** Whether it holds as much as it may: whoever goes on begins a new one. */
  readonly isFull: boolean;
  /** A record as it would be by now; undefined where it would be gone. */
  asLeft(collection: Collection, document: RecordDocument): RecordDocument | undefined;
  /** A record would be deleted, with what follows from that. */
  remove(collection: Collection, document: RecordDocument, dependents: readonly Dependent[], at: Date): void;
  /** The same so far, to be thrown away where a transaction is made anew. */
  fork(): Rehearsal;
}

/** Records that would be gone, and records that would be kept in memory as they would be. */
const mostGone = 20_000;
const mostLeft = 1_000;

interface State {
  /** By the ids of their collections. */
  readonly gone: Map<string, Set<string>>;
  /** By their keys. */
  readonly left: Map<string, { readonly collectionId: string; readonly document: RecordDocument }>;
}

/** Makes a rehearsal, at its beginning. */
export const createRehearsal = (): Rehearsal => rehearsalOf({ gone: new Map(), left: new Map() });

function rehearsalOf({ gone, left }: State): Rehearsal {
  const leftOf = ({ id }: Collection): readonly RecordDocument[] =>
    [...left.values()].flatMap(({ collectionId, document }) => (collectionId === id ? [document] : []));
  const bury = (collection: Collection, id: string): void => {
    const own = gone.get(collection.id) ?? new Set();
    gone.set(collection.id, own.add(id));
    left.delete(keyOf(collection, id));
  };
  return {
    unwritten: {
      ids: (collection) => [...(gone.get(collection.id) ?? []), ...leftOf(collection).map(({ _id }) => _id)],
      records: leftOf,
    },
    get isFull() {
      return left.size >= mostLeft || [...gone.values()].reduce((sum, { size }) => sum + size, 0) >= mostGone;
    },
    asLeft(collection, document) {
      if (gone.get(collection.id)?.has(document._id) === true) return undefined;
      return left.get(keyOf(collection, document._id))?.document ?? document;
    },
    remove(collection, document, dependents, at) {
      bury(collection, document._id);
      for (const { key, collection: from, write } of dependents) {
        if (write.kind === 'delete') bury(from, write.current._id);
        else left.set(key, { collectionId: from.id, document: changed(write.current, write.decision, at) });
      }
    },
    fork: () => rehearsalOf({ gone: new Map([...gone].map(([id, each]) => [id, new Set(each)])), left: new Map(left) }),
  };
}
