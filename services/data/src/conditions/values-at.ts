/** Asks something of one value; `undefined` is a missing one. */
export type Test = (value: unknown) => boolean;

/** A container whose members have names: an object, or an array taken by its indexes. */
type Container = Readonly<Record<string, unknown>>;

const wholeNumber = /^[0-9]+$/;

/**
 * Compiles "some value at this path passes", where an array on the way stands for its elements.
 *
 * Follows the order and the peculiarities of MongoDB's `BSONElementIterator` (src/mongo/db/matcher/path.cpp): an array in
 * the middle of a path is entered, its elements that are objects are searched, others are passed over; a numeric part
 * names both a field of the elements and a place in the array; an array at the end stands for its elements and for
 * itself; what ends at a place in an array is not entered any more. A missing value is tested only where an object, and
 * not an array, lacks it.
 *
 * @param segments - The path's parts, from the container that the compiled function is given.
 * @param leaf - `elements` to test an array at the end and its elements, `itself` to test it alone.
 */
export function compileSomeAt(
  segments: readonly string[],
  leaf: 'elements' | 'itself',
  test: Test,
): (container: object) => boolean {
  const end = segments.length;
  const places = segments.map((segment) => (wholeNumber.test(segment) ? segment : undefined));

  const inArray = (array: readonly unknown[], at: number): boolean => {
    if (at === end) return (leaf === 'elements' && array.some(test)) || test(array);
    const place = places[at];
    // Only the index's own spelling counts: "00" is no place in an array.
    const index = place === undefined ? -1 : Number(place);
    const named = place !== undefined && String(index) === place ? index : -1;
    for (const [position, element] of array.entries()) {
      if (isContainer(element) && inContainer(element, at)) return true;
      if (position === named && atPlace(element, at + 1)) return true;
    }
    return false;
  };

  const atPlace = (element: unknown, at: number): boolean => {
    if (at === end) return test(element);
    if (Array.isArray(element)) return inArray(element, at);
    return isContainer(element) && inContainer(element, at);
  };

  const inContainer = (container: Container, from: number): boolean => {
    let current = container;
    for (let at = from; at < end; at += 1) {
      const segment = segments[at] ?? '';
      const value = Object.hasOwn(current, segment) ? current[segment] : undefined;
      if (typeof value !== 'object' || value === null || value instanceof Date) {
        return test(at === end - 1 ? value : undefined);
      }
      if (Array.isArray(value)) return inArray(value, at + 1);
      if (at === end - 1) return test(value);
      current = value as Container;
    }
    return false;
  };

  return (container) => inContainer(container as Container, 0);
}

/** Whether a value is an object with members of its own, and neither an array nor a time. */
export function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
