import { faults } from '@causeway/contracts';
import type { Vault } from '@causeway/service';
import { createVault } from '@causeway/service';

import { BrokenSeal } from './encryption.errors.ts';
import type { CollectionKeys, FieldKeys, WrappedKey } from './field-keys.ts';

/** Where a value stands. Sealed for one place it opens at no other. */
export interface FieldPlace {
  readonly recordId: string;
  /** Of the field, dotted. */
  readonly path: string;
}

/** What seals and opens the values of one collection (AES-256-GCM). There is one in a process, which learns of new keys. */
export interface FieldCipher {
  /** The version with which it seals. */
  readonly current: number;
  /** Whether there has been such a version, as far as this process has heard. */
  knows(version: number): boolean;
  /** Seals a value: JSON. @throws Fault `field-key-missing` */
  seal(place: FieldPlace, value: unknown): string;
  /**
   * Opens a value.
   *
   * @param key - the version with which it was sealed
   * @throws BrokenSeal; Fault `field-key-missing`; `unavailable` where this process has yet to hear of that version
   */
  open(place: FieldPlace, key: number, text: string): unknown;
}

/** A {@link FieldCipher}, for whoever brings it keys. */
export interface LearningCipher extends FieldCipher {
  /** Takes keys as they are stored. They are opened when they are used: whoever needs none does without the root key. */
  learn(keys: CollectionKeys): void;
}

/** Makes the cipher of a collection; it knows no key yet. */
export function createFieldCipher(keys: FieldKeys, collectionId: string): LearningCipher {
  const vaults = new Map<number, Vault>();
  const wrapped = new Map<number, WrappedKey>();
  let current = 0;
  const vaultOf = (version: number): Vault => {
    const known = vaults.get(version);
    if (known !== undefined) return known;
    const key = wrapped.get(version);
    if (key === undefined) {
      throw faults.unavailable({
        message: `version ${version} of the key of ${collectionId} is not known`,
        retryAfterS: 1,
      });
    }
    const vault = createVault(keys.open(collectionId, key));
    vaults.set(version, vault);
    return vault;
  };
  // No part of it has a slash.
  const textOf = ({ recordId, path }: FieldPlace): string => `${collectionId}/${recordId}/${path}`;
  return {
    get current() {
      return current;
    },
    learn(known) {
      for (const key of known.versions) wrapped.set(key.version, key);
      // Whoever brings an earlier state comes late.
      current = Math.max(current, known.current);
    },
    knows: (version) => wrapped.has(version),
    seal: (place, value) => vaultOf(current).seal(JSON.stringify(value), textOf(place)),
    open(place, version, text) {
      const vault = vaultOf(version);
      try {
        return JSON.parse(vault.open(text, textOf(place))) as unknown;
      } catch (error) {
        throw new BrokenSeal(`a sealed value does not open: ${textOf(place)}`, { cause: error });
      }
    },
  };
}
