/** Where a value's type stands in MongoDB's order of types; a missing value stands with null. */
export type TypeRank = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/**
 * Ranks a value by its type: null, number, text, object, array, boolean, time
 * (https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/).
 *
 * @param value - A stored value as the driver gives it.
 */
export function typeRank(value: unknown): TypeRank {
  switch (typeof value) {
    case 'number':
      return 1;
    case 'string':
      return 2;
    case 'boolean':
      return 5;
    case 'object':
      if (value === null) return 0;
      if (Array.isArray(value)) return 4;
      return value instanceof Date ? 6 : 3;
    default:
      return 0;
  }
}

/**
 * Compares two texts as their UTF-8 bytes compare, which is how MongoDB does without a collation. JavaScript's `<` differs
 * where one has a character beyond U+FFFF: its surrogates sort below U+E000 to U+FFFF.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return inCodePointOrder(left) - inCodePointOrder(right);
  }
  return a.length - b.length;
}

/** Moves surrogates above all other code units (Scherer, "UTF-16 in code point order", in Unicode's UTN 9). */
function inCodePointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/**
 * Compares two stored values in MongoDB's order: by type, then by value; objects and arrays member by member, an object's
 * by type, name and value, and in the order in which they are stored.
 *
 * @returns Negative, 0 or positive.
 */
export function compareValues(a: unknown, b: unknown): number {
  const rank = typeRank(a);
  const difference = rank - typeRank(b);
  if (difference !== 0) return difference;
  switch (rank) {
    case 1:
      return sign(a as number, b as number);
    case 2:
      return compareText(a as string, b as string);
    case 3:
      return compareObjects(a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>);
    case 4:
      return compareArrays(a as readonly unknown[], b as readonly unknown[]);
    case 5:
      return Number(a) - Number(b);
    case 6:
      return sign((a as Date).getTime(), (b as Date).getTime());
    case 0:
      return 0;
  }
}

function sign(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const order = compareValues(a[index], b[index]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): number {
  const left = Object.keys(a);
  const right = Object.keys(b);
  for (const [index, name] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order =
      typeRank(a[name]) - typeRank(b[other]) || compareText(name, other) || compareValues(a[name], b[other]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
