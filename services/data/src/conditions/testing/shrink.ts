/**
 * Makes a JSON value that shows a fault as small as it goes: drops members, elements and levels while the fault stays.
 *
 * @param value - Shows the fault.
 * @param fails - Whether a smaller value still shows it.
 */
export async function shrink(value: unknown, fails: (smaller: unknown) => Promise<boolean>): Promise<unknown> {
  for (const smaller of smallerThan(value)) {
    if (await fails(smaller)) return await shrink(smaller, fails);
  }
  return value;
}

function* smallerThan(value: unknown): Generator {
  if (typeof value !== 'object' || value === null || value instanceof Date) return;
  if (Array.isArray(value)) {
    for (const index of value.keys()) yield value.toSpliced(index, 1);
    for (const [index, element] of value.entries()) {
      for (const smaller of smallerThan(element)) yield value.with(index, smaller);
    }
    return;
  }
  const entries = Object.entries(value);
  for (const index of entries.keys()) yield Object.fromEntries(entries.toSpliced(index, 1));
  for (const [index, [name, member]] of entries.entries()) {
    for (const smaller of smallerThan(member)) yield Object.fromEntries(entries.with(index, [name, smaller]));
  }
}
