import { randomBytes } from 'node:crypto';

import type { MasterKey } from '@causeway/service';
import { createMasterKey } from '@causeway/service';

import type { Db } from 'mongodb';

/** The one row of `root-keys`: the root key, encrypted under each master key that may open it. */
export interface RootKeyDocument {
  readonly _id: 'root';
  /** Base64, by the id of the master key. */
  readonly sealed: Readonly<Record<string, string>>;
  /** Rises with each change: of two at once one is made. */
  readonly revision: number;
}

/** The collection's name. */
export const rootKeysCollection = 'root-keys';

/** Where it is stored; see `Vault.seal`. */
const place = 'root-keys/root';

const duplicateKey = 11_000;

const isDuplicate = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === duplicateKey;

const wrongKey = (cause?: unknown): Error =>
  new Error(
    'CAUSEWAY_MASTER_KEY is not the one under which the root key in this database is encrypted: set the one that was used before',
    { cause },
  );

/** @returns the root key, encrypted under a master key */
export const sealRoot = (root: string, master: string): Readonly<Record<string, string>> => {
  const { id, vault } = createMasterKey(master, 'auth');
  return { [id]: vault('root-key').seal(root, place) };
};

/**
 * @returns the root key
 * @throws Error where the master key does not open it
 */
export const openRoot = ({ sealed }: Pick<RootKeyDocument, 'sealed'>, master: string): string => {
  const { id, vault } = createMasterKey(master, 'auth');
  const own = sealed[id];
  if (own === undefined) throw wrongKey();
  try {
    return vault('root-key').open(own, place);
  } catch (error) {
    throw wrongKey(error);
  }
};

/** Of a database of an earlier release, whose keys are derived from the master key itself. */
const fromBefore = async (db: Db, master: string): Promise<string | undefined> => {
  const key = await db
    .collection<{ readonly kid: string; readonly sealedPrivateJwk: string }>('signing-keys')
    .findOne();
  if (key === null) return undefined;
  try {
    createMasterKey(master, 'auth').vault('signing-keys').open(key.sealedPrivateJwk, `signing-keys/${key.kid}`);
    return master;
  } catch (error) {
    throw wrongKey(error);
  }
};

/** @param db - at majority */
export const rootKeys = (db: Db) => db.collection<RootKeyDocument>(rootKeysCollection);

/** @returns ids of the master keys that open the root key, sorted */
export const mastersOf = async (db: Db): Promise<readonly string[]> =>
  Object.keys((await rootKeys(db).findOne({ _id: 'root' }))?.sealed ?? {}).sort();

/**
 * The key that all others are derived from and encrypted under. It is random, and stays the same while master keys change; replicas that start
 * at once agree on one. In a database of an earlier release it is the master key of then, so that everything that was derived stays valid.
 *
 * @param db - this service's, at majority
 * @param master - the operator's master key
 * @throws Error where the master key is not one that opens it
 */
export async function loadRootKey(db: Db, master: string): Promise<MasterKey> {
  const rows = rootKeys(db);
  const known = await rows.findOne({ _id: 'root' });
  if (known !== null) return createMasterKey(openRoot(known, master), 'auth');
  const root = (await fromBefore(db, master)) ?? randomBytes(32).toString('base64');
  try {
    await rows.insertOne({ _id: 'root', sealed: sealRoot(root, master), revision: 1 });
    return createMasterKey(root, 'auth');
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  const made = await rows.findOne({ _id: 'root' });
  if (made === null) throw new Error('the root key was there, and is gone');
  return createMasterKey(openRoot(made, master), 'auth');
}
