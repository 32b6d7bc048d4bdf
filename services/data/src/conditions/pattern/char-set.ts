/** A set of Unicode scalar values as sorted, disjoint, inclusive ranges. */
export type CharSet = readonly (readonly [low: number, high: number])[];

/** The first and the last half of a surrogate pair: code points that no well-formed text contains. */
const surrogates = { low: 0xd800, high: 0xdfff };
const lastCodePoint = 0x10ffff;

/** Every character. */
export const anyChar: CharSet = [
  [0, surrogates.low - 1],
  [surrogates.high + 1, lastCodePoint],
];

/** One character. */
export function charOf(codePoint: number): CharSet {
  return [[codePoint, codePoint]];
}

/** The characters that are in any of the sets. */
export function union(...sets: readonly CharSet[]): CharSet {
  const ranges = sets.flat().sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [low, high] of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged;
}

/** The characters that are not in the set. */
export function complement(set: CharSet): CharSet {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [low, high] of union(set, [[surrogates.low, surrogates.high]])) {
    if (low > next) gaps.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= lastCodePoint) gaps.push([next, lastCodePoint]);
  return gaps;
}

/** Whether some character is in both sets. */
export function overlaps(a: CharSet, b: CharSet): boolean {
  return a.some(([low, high]) => b.some(([otherLow, otherHigh]) => low <= otherHigh && otherLow <= high));
}

/** Whether a character is in the set. */
export function contains(set: CharSet, codePoint: number): boolean {
  let [low, high] = [0, set.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((set[middle]?.[1] ?? 0) < codePoint) low = middle + 1;
    else high = middle;
  }
  const range = set[low];
  return range !== undefined && range[0] <= codePoint;
}

/** How many characters the set holds. */
export function sizeOf(set: CharSet): number {
  return set.reduce((sum, [low, high]) => sum + high - low + 1, 0);
}

/**
 * The set together with its characters' other cases, for the option `i`: those that `toLowerCase` and `toUpperCase` map
 * to a single character. Expanding the pattern ourselves keeps two engines, with two versions of Unicode, from differing.
 *
 * @param set - Small; each character is looked at.
 */
export function withOtherCases(set: CharSet): CharSet {
  const cases: CharSet[] = [set];
  for (const [low, high] of set) {
    for (let codePoint = low; codePoint <= high; codePoint += 1) {
      const char = String.fromCodePoint(codePoint);
      for (const other of [char.toLowerCase(), char.toUpperCase()]) {
        const [first = char, ...more] = other;
        if (other !== char && more.length === 0) cases.push(charOf(first.codePointAt(0) ?? codePoint));
      }
    }
  }
  return union(...cases);
}
