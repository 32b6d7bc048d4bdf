import type { ClientSession, Db } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';
import { fieldKeyMissing } from './encryption.errors.ts';
import type { FieldKeys } from './field-keys.ts';

/** The one row that says under which root keys the keys of this installation are encrypted. */
interface RootsRow {
  readonly _id: 'roots';
  readonly roots: readonly string[];
  /** Rises with each key that is made: whoever would put another root in place of them sees it. */
  readonly made: number;
}

/** Keeps a replica with another root key from making keys that no other replica opens. */
export interface FieldRoots {
  /** Whether keys that are made here are opened by the other replicas. Where there are none yet, those of this process become the root. */
  areOurs(): Promise<boolean>;
  /** Makes sure of it in the transaction that keeps a new key. @throws Fault `field-key-missing` */
  demandOurs(session: ClientSession): Promise<void>;
}

const duplicateKey = 11_000;
const isDuplicate = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === duplicateKey;

/**
 * Makes it.
 *
 * @param db - the service's, at majority
 * @param fieldKeys - of this process
 */
export function createFieldRoots(db: Db, { roots: own }: Pick<FieldKeys, 'roots'>): FieldRoots {
  const rows = db.collection<RootsRow>('field_roots');
  const definitions = db.collection<DefinitionDocument>(definitionsCollection);
  const _id = 'roots';
  const ours = { _id, roots: { $in: [...own] } } as const;

  const begin = async (): Promise<void> => {
    // Those of a release before there was this row.
    const known = await definitions.distinct('keys.versions.root');
    try {
      await rows.insertOne({ _id, roots: known.length === 0 ? own : known.map(String), made: 0 });
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  };

  return {
    async areOurs() {
      if (own.length === 0) return false;
      if ((await rows.findOne({ _id })) === null) await begin();
      const row = await rows.findOne({ _id });
      if (row === null || row.roots.some((each) => own.includes(each))) return row !== null;
      // Whoever has lost the root key, and removed what was encrypted under it, goes on with another.
      if ((await definitions.findOne({ keys: { $exists: true } }, { projection: { _id: 1 } })) !== null) return false;
      const asRead = { _id, roots: row.roots, made: row.made } as const;
      return (await rows.updateOne(asRead, { $set: { roots: own } })).matchedCount > 0;
    },
    async demandOurs(session) {
      const { matchedCount } = await rows.updateOne(ours, { $inc: { made: 1 } }, { session });
      if (matchedCount > 0) return;
      throw fieldKeyMissing({
        message: `CAUSEWAY_FIELD_KEY is ${own.join(' or ')}, and the keys of this installation are encrypted under another`,
      });
    },
  };
}
