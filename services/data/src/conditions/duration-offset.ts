/** How long each unit is, in milliseconds: a day has 24 hours, whatever the clocks of a place do. */
const unitsMs: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const form = /^([+-]?)(\d{1,9})([smhd])$/;

/** Ten years. */
const mostMs = 3_653 * 86_400_000;

/**
 * Reads how far a time lies from now.
 *
 * @param text - a whole number of seconds, minutes, hours or days, `-` before one that lies back: `-24h`, `30d`
 * @returns milliseconds; undefined for what is none, or lies more than ten years away
 */
export function parseOffset(text: string): number | undefined {
  const [, sign, digits, unit = ''] = form.exec(text) ?? [];
  const unitMs = unitsMs.get(unit);
  if (unitMs === undefined) return undefined;
  const offsetMs = Number(digits) * unitMs;
  if (offsetMs > mostMs) return undefined;
  return sign === '-' ? -offsetMs : offsetMs;
}
