// V8's figures on 64 bits without pointer compression, which Node's builds do not have.
const stringBytes = 24;
const objectBytes = 64;
const arrayBytes = 48;
const slotBytes = 8;
const heapNumberBytes = 16;
/** An array that was filled one by one, as BSON's are, has room for so many. */
const fewestSlots = 17;
/** An object with more keys may be a hash table, half empty: where they are those of no other, three times what these say; else nothing. */
const mostFastKeys = 16;
const tableEntryBytes = 24;

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** What a text takes in memory: a byte a letter, or two for all of them where one is not of ASCII. */
export const heldTextBytes = (text: string): number => stringBytes + text.length * (isAscii(text) ? 1 : 2);

const isWord = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 31;

/**
 * What a value takes in memory, rather more than less, and less than half of it never. Its JSON does not tell: an empty object, of two
 * letters, takes as much as a text of forty.
 *
 * @param value - as JSON or BSON gives it
 */
export function heldBytes(value: unknown): number {
  if (typeof value === 'string') return heldTextBytes(value);
  if (typeof value === 'number') return isWord(value) ? 0 : heapNumberBytes;
  if (typeof value !== 'object' || value === null) return 0;
  return Array.isArray(value) ? heldByArray(value) : heldByObject(value);
}

// Each change of a record is counted, on the thread that serves: loops take a third of the time.

const heldByArray = (items: readonly unknown[]): number => {
  const slots = items.length === 0 ? 0 : Math.max(items.length, fewestSlots);
  let sum = arrayBytes + slots * slotBytes;
  for (const item of items) sum += heldBytes(item);
  return sum;
};

const heldByObject = (value: object): number => {
  let keys = 0;
  let sum = objectBytes;
  for (const key in value) {
    keys += 1;
    sum += stringBytes + slotBytes + key.length + heldBytes((value as Readonly<Record<string, unknown>>)[key]);
  }
  return sum + Math.max(0, keys - mostFastKeys) * tableEntryBytes;
};
