import { faults } from '@causeway/contracts';
import type { Vault } from '@causeway/service';
import { createVault } from '@causeway/service';

import { BrokenSeal } from './encryption.errors.ts';
import type { CollectionKeys, FieldKeys } from './field-keys.ts';

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
  /** Seals a value: JSON. */
  seal(place: FieldPlace, value: unknown): string;
  /**
   * Opens a value.
   *
   * @param key - the version with which it was sealed
   * @throws BrokenSeal; Fault `unavailable` where this process has yet to hear of that version
   */
  open(place: FieldPlace, key: number, text: string): unknown;
}

/** A {@link FieldCipher}, for whoever brings it keys. */
export interface LearningCipher extends FieldCipher {
  /** @throws Fault `field-key-missing` */
  learn(keys: CollectionKeys): void;
}

/** Makes the cipher of a collection; it knows no key yet. */
export function createFieldCipher(keys: FieldKeys, collectionId: string): LearningCipher {
  const vaults = new Map<number, Vault>();
  let current = 0;
  const vaultOf = (version: number): Vault => {
    const vault = vaults.get(version);
    if (vault !== undefined) return vault;
    throw faults.unavailable({
      message: `version ${version} of the key of ${collectionId} is not known`,
      retryAfterS: 1,
    });
  };
  // No part of it has a slash.
  const textOf = ({ recordId, path }: FieldPlace): string => `${collectionId}/${recordId}/${path}`;
  return {
    get current() {
      return current;
    },
    learn(known) {
      for (const wrapped of known.versions) {
        if (!vaults.has(wrapped.version)) vaults.set(wrapped.version, createVault(keys.open(collectionId, wrapped)));
      }
      // Whoever brings an earlier state comes late.
      current = Math.max(current, known.current);
    },
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
