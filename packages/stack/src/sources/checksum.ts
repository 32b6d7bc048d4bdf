import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Unavailable } from './source.ts';

/** @returns the SHA-256 of a file, in hexadecimal */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * @param what - the file's name, for a person
 * @throws Unavailable when the file is not the one that was pinned
 */
export async function assertSha256(file: string, expected: string, what: string): Promise<void> {
  const found = await sha256Of(file);
  if (found !== expected) {
    throw new Unavailable(`the checksum of ${what} is ${found}, and should be ${expected}: refused`);
  }
}
