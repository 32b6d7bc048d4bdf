import { randomBytes } from 'node:crypto';

import { createMasterKey } from '@causeway/service';

import { fieldKeyMissing } from './encryption.errors.ts';

/** A version of a collection's key, encrypted under the root key. */
export interface WrappedKey {
  readonly version: number;
  /** Which root key it is encrypted under. */
  readonly root: string;
  /** What `Vault.seal` gives. */
  readonly sealed: string;
  /** Since when no record is to use it; by MongoDB's clock. */
  readonly retiredAt?: Date;
}

/** The keys of a collection, as they are stored beside its definition. */
export interface CollectionKeys {
  /** The version with which values are sealed. */
  readonly current: number;
  /** All with which some may be sealed. */
  readonly versions: readonly WrappedKey[];
}

/** The root key of a process: it encrypts the keys of collections, and nothing else. */
export interface FieldKeys {
  /** Whether there is one. */
  readonly isThere: boolean;
  /** Which they are: what tells one from others, and gives nothing of it away. */
  readonly roots: readonly string[];
  /** Makes a key of a collection. @throws Fault `field-key-missing` */
  make(collectionId: string, version: number): WrappedKey;
  /** Opens a key of a collection: 32 bytes. @throws Fault `field-key-missing` */
  open(collectionId: string, wrapped: WrappedKey): Uint8Array;
}

/** What is wrapped at another collection, or as another version, does not open. */
const placeOf = (collectionId: string, version: number): string => `${collectionId}/keys/${version}`;

/**
 * Makes what a process does with its root key.
 *
 * @param key - `CAUSEWAY_FIELD_KEY`; undefined where none is set
 */
export function createFieldKeys(key: string | undefined): FieldKeys {
  const root = key === undefined ? undefined : createMasterKey(key, 'data');
  const vault = root?.vault('field-keys');
  const missing = (collectionId: string, message: string, cause?: unknown): Error =>
    fieldKeyMissing({ message: `the encrypted fields of ${collectionId} cannot be opened: ${message}`, cause });
  return {
    isThere: root !== undefined,
    roots: root === undefined ? [] : [root.id],
    make(collectionId, version) {
      if (root === undefined || vault === undefined) throw missing(collectionId, 'CAUSEWAY_FIELD_KEY is not set');
      const sealed = vault.seal(randomBytes(32).toString('base64'), placeOf(collectionId, version));
      return { version, root: root.id, sealed };
    },
    open(collectionId, { version, sealed, root: under }) {
      if (vault === undefined) throw missing(collectionId, 'CAUSEWAY_FIELD_KEY is not set');
      try {
        return Buffer.from(vault.open(sealed, placeOf(collectionId, version)), 'base64');
      } catch (error) {
        const message = `CAUSEWAY_FIELD_KEY is ${root?.id ?? ''}, and version ${version} of their key is encrypted under ${under}`;
        throw missing(collectionId, message, error);
      }
    },
  };
}

/** The keys that a collection is to have: those that it has, and a first one where it needs one. */
export const keysFor = (
  keys: FieldKeys,
  collectionId: string,
  isNeeded: boolean,
  known: CollectionKeys | undefined,
): CollectionKeys | undefined =>
  known !== undefined || !isNeeded ? known : { current: 1, versions: [keys.make(collectionId, 1)] };
