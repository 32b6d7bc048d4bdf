import type { Db, Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { followAll } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { isSnapshotGone, readConcernAt } from './snapshot/read-snapshot.ts';

/** Where the references lead that a rule follows. */
export interface Looked {
  /** By `followAll`. */
  readonly caller: Caller;
  /** The time of which that is; undefined where it is of now. */
  readonly asOf: Timestamp | undefined;
}

/**
 * Looks where the references lead that the rule for reading follows, as of a time; as of now, where none is said or MongoDB cannot read as of it any more.
 *
 * @throws what `followAll` does
 */
export type LookAsOf = (collection: Collection, caller: Caller, asOf: Timestamp | undefined) => Promise<Looked>;

/**
 * Makes it.
 *
 * @param db - the service's database
 */
export const createLookAsOf =
  (db: Db): LookAsOf =>
  async (collection, caller, asOf) => {
    if (asOf !== undefined) {
      try {
        return { caller: await followAll(db, collection, caller, { readConcern: readConcernAt(asOf) }), asOf };
      } catch (error) {
        if (!isSnapshotGone(error)) throw error;
      }
    }
    return { caller: await followAll(db, collection, caller), asOf: undefined };
  };
