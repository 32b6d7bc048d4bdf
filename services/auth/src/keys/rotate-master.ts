import { createMasterKey } from '@causeway/service';
import type { Db } from 'mongodb';

import { liveReplicas } from './replicas.ts';
import { openRoot, rootKeys, sealRoot } from './root-key.ts';
import type { RootKeyDocument } from './root-key.ts';

/** What can be done about master keys, and what may be said of it: ids, never a key. */
export interface MasterKeyStatus {
  /** Of the master key that was given. */
  readonly given: string;
  /** Whether it opens the root key. */
  readonly opens: boolean;
  /** Ids of all master keys that open it. */
  readonly known: readonly string[];
  /** How many replicas run with each, by id. */
  readonly replicas: Readonly<Record<string, number>>;
}

/** What is in the way, and what to do: for the person who asked. */
export class RotationRefused extends Error {
  override readonly name = 'RotationRefused';
}

const attempts = 5;

const read = async (db: Db): Promise<RootKeyDocument> => {
  const row = await rootKeys(db).findOne({ _id: 'root' });
  if (row === null)
    throw new RotationRefused('there is no root key in this database: auth has never been started on it');
  return row;
};

/** Changes which master keys open the root key, unless somebody else does at once: then it is looked at anew. */
const change = async (
  db: Db,
  decide: (row: RootKeyDocument) => Promise<RootKeyDocument['sealed'] | undefined>,
): Promise<boolean> => {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const row = await read(db);
    const sealed = await decide(row);
    if (sealed === undefined) return false;
    const { modifiedCount } = await rootKeys(db).updateOne(
      { _id: 'root', revision: row.revision },
      { $set: { sealed }, $inc: { revision: 1 } },
    );
    if (modifiedCount === 1) return true;
  }
  throw new RotationRefused('somebody else changes master keys at the same time: try again');
};

const opens = (row: RootKeyDocument, master: string): boolean => {
  try {
    openRoot(row, master);
    return true;
  } catch {
    return false;
  }
};

/** Which master keys there are, and who runs with which. */
export async function masterKeyStatus(db: Db, master: string): Promise<MasterKeyStatus> {
  const row = await read(db);
  return {
    given: createMasterKey(master, 'auth').id,
    opens: opens(row, master),
    known: Object.keys(row.sealed).sort(),
    replicas: Object.fromEntries(await liveReplicas(db)),
  };
}

/**
 * Has another master key open the root key too. Nothing else changes: replicas may be restarted with it one by one.
 *
 * @returns whether it did not open it already
 * @throws Error where the current master key does not open it
 */
export const addMasterKey = (db: Db, current: string, next: string): Promise<boolean> =>
  change(db, (row) => {
    const root = openRoot(row, current);
    if (opens(row, next)) return Promise.resolve(undefined);
    return Promise.resolve({ ...row.sealed, ...sealRoot(root, next) });
  });

/**
 * Has no master key open the root key any more but the one that is given.
 *
 * @returns whether there was another
 * @throws RotationRefused where a replica runs with another, or none with this one: it could not be started again
 */
export const dropMasterKeys = (db: Db, kept: string): Promise<boolean> =>
  change(db, async (row) => {
    const root = openRoot(row, kept);
    const { id } = createMasterKey(kept, 'auth');
    if (Object.keys(row.sealed).every((each) => each === id)) return undefined;
    const replicas = await liveReplicas(db);
    const others = [...replicas.keys()].filter((each) => each !== id);
    if (others.length > 0)
      throw new RotationRefused(`replicas run with the master key ${others.join(', ')}: restart them with ${id} first`);
    if (!replicas.has(id))
      throw new RotationRefused(`no replica runs with the master key ${id}: start one, to see that it does`);
    return sealRoot(root, kept);
  });
