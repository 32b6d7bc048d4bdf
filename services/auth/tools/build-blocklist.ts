// `npm run auth:blocklist`: makes data/common-passwords.bin anew from the list that zxcvbn-ts keeps.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import { blocklistOf } from './blocklist-of.ts';

const file = path.join(import.meta.dirname, '..', 'data', 'common-passwords.bin');
const { bytes, entries } = blocklistOf();
await writeFile(file, bytes);
process.stdout.write(`${path.relative(process.cwd(), file)}: ${entries} passwords, ${bytes.length} bytes\n`);
