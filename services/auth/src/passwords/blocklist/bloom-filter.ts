import { hash } from 'node:crypto';

/** The first bytes of a filter's file. */
const magic = Buffer.from('CWBF1\0\0\0', 'latin1');

/** Of the header: the magic, and three whole numbers of 32 bits (entries, hashes, bits). */
const headerBytes = magic.length + 12;

/** A set that says of what it holds that it does, and of anything else, seldom, too. Bloom, CACM 13(7), 1970. */
export interface BloomFilter {
  has(entry: string): boolean;
  /** How many entries it was made of. */
  readonly entries: number;
}

/** The places of an entry: two halves of its SHA-256 make as many as are wanted (Kirsch and Mitzenmacher, ESA 2006). */
function* placesOf(entry: string, hashes: number, bits: number): Generator<number> {
  const digest = hash('sha256', entry, 'buffer');
  // 48 bits each, so that sums stay whole in a double. An even step could miss half of the places.
  const start = digest.readUIntLE(0, 6) % bits;
  const step = (digest.readUIntLE(6, 6) % bits) | 1;
  for (let each = 0; each < hashes; each += 1) yield (start + each * step) % bits;
}

const viewOf = (file: Buffer, hashes: number, bits: number, entries: number): BloomFilter => ({
  entries,
  has(entry) {
    for (const place of placesOf(entry, hashes, bits)) {
      if (((file[headerBytes + (place >> 3)] ?? 0) & (1 << (place & 7))) === 0) return false;
    }
    return true;
  },
});

/**
 * Makes a filter's file.
 *
 * @param entries - what it holds
 * @param falsePositives - share of everything else that it takes for an entry, such as 1e-6
 */
export function buildBloomFilter(entries: ReadonlySet<string>, falsePositives: number): Buffer {
  // m = -n ln p / (ln 2)^2 and k = m/n ln 2: the least bits for a share (Bloom 1970; Mitzenmacher and Upfal, §5.5.3).
  const bits = Math.ceil((-entries.size * Math.log(falsePositives)) / Math.LN2 ** 2);
  const hashes = Math.round((bits / entries.size) * Math.LN2);
  const file = Buffer.alloc(headerBytes + Math.ceil(bits / 8));
  magic.copy(file);
  for (const [index, value] of [entries.size, hashes, bits].entries()) {
    file.writeUInt32LE(value, magic.length + index * 4);
  }
  for (const entry of entries) {
    for (const place of placesOf(entry, hashes, bits)) {
      const at = headerBytes + (place >> 3);
      file[at] = (file[at] ?? 0) | (1 << (place & 7));
    }
  }
  return file;
}

/**
 * Reads a filter's file.
 *
 * @throws Error where it is none, or not whole
 */
export function readBloomFilter(file: Buffer): BloomFilter {
  if (file.length < headerBytes || !file.subarray(0, magic.length).equals(magic))
    throw new Error('the file is no filter');
  const [entries = 0, hashes = 0, bits = 0] = [0, 4, 8].map((at) => file.readUInt32LE(magic.length + at));
  if (file.length !== headerBytes + Math.ceil(bits / 8) || hashes < 1) throw new Error('the filter is not whole');
  return viewOf(file, hashes, bits, entries);
}
