/** What a value may be made. */
export type Conversion = 'string' | 'number' | 'integer' | 'boolean';

const conversions: ReadonlySet<unknown> = new Set<Conversion>(['string', 'number', 'integer', 'boolean']);

/** Whether something says what a value is to be made. */
export const isConversion = (json: unknown): json is Conversion => conversions.has(json);

/** A number as JSON has it, RFC 8259 §6; leading zeros are taken too. */
const numberPattern = /^-?\d{1,309}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?$/;

/** Numbers that are read back as they were written. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string' && !numberPattern.test(value)) return undefined;
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const number = Number(value);
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : undefined;
}

function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 1) return true;
  return value === 'false' || value === 0 ? false : undefined;
}

/**
 * Makes a value another type's, where it says the same in both.
 *
 * @param value - null stays null
 * @returns undefined where there is no such value
 */
export function convertValue(value: unknown, to: Conversion): unknown {
  if (value === null) return null;
  switch (to) {
    case 'string':
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : undefined;
    case 'number':
      return numberOf(value);
    case 'integer': {
      const number = numberOf(value);
      return number !== undefined && Number.isInteger(number) ? number : undefined;
    }
    case 'boolean':
      return booleanOf(value);
  }
}
