const radix = 36;
const form = /^(?:[\da-z]{1,4}\.[\da-z]{1,10}(?:-(?!$)|$))*$/;

/**
 * How far the slots of a log have been read, as a text that a query and a cursor may hold: `0.1c-b.2s`.
 *
 * @param places - positions by slot
 */
export const formatPlaces = (places: ReadonlyMap<number, number>): string =>
  [...places].map(([slot, pos]) => `${slot.toString(radix)}.${pos.toString(radix)}`).join('-');

/**
 * Reads what {@link formatPlaces} wrote.
 *
 * @returns undefined where it is none
 */
export const parsePlaces = (text: string): ReadonlyMap<number, number> | undefined => {
  if (!form.test(text)) return undefined;
  if (text === '') return new Map();
  return new Map(
    text.split('-').map((place) => {
      const [slot = '', pos = ''] = place.split('.');
      return [Number.parseInt(slot, radix), Number.parseInt(pos, radix)];
    }),
  );
};
