import type { FieldPath } from '../conditions/field-path.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { Key } from './aggregate.ts';
import { aggregateLimits, calendarUnits } from './aggregate.ts';
import { refusal } from './scope.ts';

/** Names as the IANA has them: no offsets, which change with the time of year. */
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]{0,31}(?:\/[A-Za-z0-9_+-]{1,32}){0,2}$/;

/**
 * Parses `{by, boundaries}` or `{by, unit, timeZone?}`.
 *
 * @param path - what `by` names
 * @param json - the whole of it
 * @throws Fault `invalid-request`
 */
export function parseBucketKey(path: FieldPath, json: Readonly<Record<string, unknown>>, pointer: string): Key {
  const { by: _, boundaries, unit, timeZone, ...rest } = json;
  const [other] = Object.keys(rest);
  const form = 'Give either boundaries, or a unit and perhaps its timeZone, beside `by`.';
  if (other !== undefined) throw refusal(pointerTo(pointer, other), 'unknown-member', form);
  if ((boundaries === undefined) === (unit === undefined)) throw refusal(pointer, 'invalid-bucket', form);
  if (boundaries === undefined) {
    const known = calendarUnits.find((each) => each === unit);
    const at = pointerTo(pointer, 'unit');
    if (known === undefined) throw refusal(at, 'invalid-unit', `Use one of ${calendarUnits.join(', ')}.`);
    return { kind: 'unit', path, unit: known, timeZone: parseTimeZone(timeZone, pointerTo(pointer, 'timeZone')) };
  }
  if (timeZone !== undefined) throw refusal(pointerTo(pointer, 'timeZone'), 'unknown-member', form);
  const at = pointerTo(pointer, 'boundaries');
  if (path.holds === 'time') throw refusal(at, 'invalid-bucket', `Give a unit: \`${path.text}\` is a time.`);
  return { kind: 'boundaries', path, boundaries: parseBoundaries(boundaries, at) };
}

function parseBoundaries(json: unknown, pointer: string): readonly number[] {
  const isFit =
    Array.isArray(json) &&
    json.length >= 2 &&
    json.length <= aggregateLimits.boundaries &&
    json.every((each, at) => typeof each === 'number' && Number.isFinite(each) && (at === 0 || each > json[at - 1]));
  if (isFit) return json as readonly number[];
  throw refusal(
    pointer,
    'invalid-boundaries',
    `Give 2 to ${aggregateLimits.boundaries} numbers, each greater than the one before.`,
  );
}

function parseTimeZone(json: unknown, pointer: string): string {
  if (json === undefined) return 'UTC';
  if (typeof json === 'string' && zoneName.test(json) && isKnownZone(json)) return json;
  throw unknownZone(pointer);
}

/** The fault of a time zone that is none. */
export const unknownZone = (pointer: string): Error =>
  refusal(pointer, 'unknown-time-zone', 'Use the name of a time zone, such as Europe/Berlin.');

function isKnownZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
