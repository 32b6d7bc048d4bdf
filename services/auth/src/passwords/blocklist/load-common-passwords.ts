import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { readBloomFilter } from './bloom-filter.ts';
import { createCommonPasswords, type CommonPasswords } from './common-password.ts';

/** Made by `npm run auth:blocklist`; beside `src` and `dist` alike. */
export const blocklistFile = path.join(import.meta.dirname, '..', '..', '..', 'data', 'common-passwords.bin');

/** Reads the list of common passwords that comes with this service. */
export const loadCommonPasswords = async (): Promise<CommonPasswords> =>
  createCommonPasswords(readBloomFilter(await readFile(blocklistFile)));
