/** A text that is looked for, and what is said where it is found. */
export interface Needle {
  readonly text: string;
  /** Never the text itself. */
  readonly what: string;
}

/** So many last bytes of a needle are hashed; a shorter one cannot be looked for. */
export const shortestNeedle = 12;

const base = 0x01000193;
/** `base` to the power of {@link shortestNeedle}: what the byte that leaves the window has grown by. */
const leaving = Array.from({ length: shortestNeedle }).reduce<number>((power) => Math.imul(power, base), 1);
const slots = 1 << 22;

const hashOf = (bytes: Uint8Array): number => bytes.reduce((hash, byte) => (Math.imul(hash, base) + byte) | 0, 0);
const slotOf = (hash: number): number => (hash ^ (hash >>> 11)) & (slots - 1);

/** Finds thousands of needles at once, in one pass over the bytes (Rabin and Karp's rolling hash, 1987). */
export class ByteFinder {
  readonly #byHash = new Map<number, { readonly bytes: Uint8Array; readonly what: string }[]>();
  /** Most windows are of no needle: one byte says so, without a look into the map. */
  readonly #maybe = new Uint8Array(slots);
  /** The length of the longest needle, in bytes: so much of a piece is needed again before the next. */
  readonly longest: number;

  /** @throws RangeError for a needle of less than {@link shortestNeedle} bytes */
  constructor(needles: Iterable<Needle>) {
    let longest = shortestNeedle;
    for (const { text, what } of needles) {
      const bytes = Buffer.from(text, 'utf8');
      if (bytes.length < shortestNeedle) throw new RangeError(`${what} is too short to be looked for`);
      longest = Math.max(longest, bytes.length);
      const hash = hashOf(bytes.subarray(-shortestNeedle));
      this.#maybe[slotOf(hash)] = 1;
      const same = this.#byHash.get(hash);
      if (same === undefined) this.#byHash.set(hash, [{ bytes, what }]);
      else same.push({ bytes, what });
    }
    this.longest = longest;
  }

  /** @returns what was found, each as often as it is there */
  find(bytes: Uint8Array): string[] {
    const found: string[] = [];
    let hash = 0;
    for (let end = 0; end < bytes.length; end += 1) {
      const gone = end >= shortestNeedle ? Math.imul(bytes[end - shortestNeedle] ?? 0, leaving) : 0;
      hash = (Math.imul(hash, base) + (bytes[end] ?? 0) - gone) | 0;
      if (this.#maybe[slotOf(hash)] === 0) continue;
      for (const needle of this.#byHash.get(hash) ?? []) {
        const from = end + 1 - needle.bytes.length;
        if (from >= 0 && Buffer.compare(bytes.subarray(from, end + 1), needle.bytes) === 0) found.push(needle.what);
      }
    }
    return found;
  }
}
