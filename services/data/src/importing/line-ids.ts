import { createHmac } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Ids for the records of an import that may be repeated: a line's id follows from the import's key and its number, so that
 * a repeated line meets the record that it made before. They sort by time and line, and have the form of UUIDv7 (RFC 9562
 * §5.7: 48 bits of milliseconds, version, then 12 bits and 62 that are ours: 32 of the line's number, 42 of a keyed hash).
 *
 * @param key - secret, and the import's own
 * @param startedAt - when the import was begun first
 * @returns gives the id of a line
 */
export function createLineIds(key: Uint8Array, startedAt: Date): (line: number) => string {
  const time = BigInt(startedAt.getTime());
  return (line) => {
    const hash = createHmac('sha256', key).update(`line ${line}`).digest().readBigUInt64BE() & ((1n << 42n) - 1n);
    const tail = (BigInt(line >>> 0) << 42n) | hash;
    const randA = tail >> 62n;
    const randB = tail & ((1n << 62n) - 1n);
    const value = (time << 80n) | (7n << 76n) | (randA << 64n) | (2n << 62n) | randB;
    return `rec_${inBase32(value)}`;
  };
}

/** 128 bits in 26 characters of Crockford's base 32. */
function inBase32(value: bigint): string {
  let text = '';
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += alphabet[Number((value >> shift) & 31n)] ?? '';
  return text;
}
