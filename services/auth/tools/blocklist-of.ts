import { dictionary } from '@zxcvbn-ts/language-common';

import { buildBloomFilter } from '../src/passwords/blocklist/bloom-filter.ts';

/** Of a million passwords that are not in the list one is taken for one that is. */
export const falsePositives = 1e-6;

/** @returns the passwords that people use most, as they are compared */
export const commonPasswords = (): ReadonlySet<string> =>
  new Set(dictionary['passwords-common'].map((each) => each.normalize('NFKC').toLowerCase()));

/** @returns the filter of them, always the same bytes of the same list */
export const blocklistOf = (): { readonly bytes: Buffer; readonly entries: number } => {
  const entries = commonPasswords();
  return { bytes: buildBloomFilter(entries, falsePositives), entries: entries.size };
};
