import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { isObject } from '../conditions/plain-value.ts';
import type { Near } from './geo/parse-near.ts';
import { parseNear } from './geo/parse-near.ts';
import { parseText } from './text/parse-text.ts';

/** What a filter says beside its condition: MongoDB takes it once, above everything else, and by it records have a rank. */
export interface TakenRanking {
  /** The filter without it. */
  readonly rest: unknown;
  /** Words to look for. */
  readonly text: string | undefined;
  readonly near: Near | undefined;
}

/** Whether operators stand there: as everywhere in a condition, the first name says so. */
const isOperators = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && Object.keys(value)[0]?.startsWith('$') === true;

/**
 * Takes `$text`, and `$near` of a field, out of the top of a filter; further down, the condition's own parser refuses them.
 *
 * @param filter - as `JSON.parse` gave it; undefined for every record
 * @returns all faults of what is taken, by pointer into the filter
 */
export function takeRanking(filter: unknown): Parsed<TakenRanking> {
  if (!isObject(filter)) return { ok: true, value: { rest: filter, text: undefined, near: undefined } };
  const faults: LocatedFault[] = [];
  const take = <T>(parsed: Parsed<T>): T | undefined => {
    if (parsed.ok) return parsed.value;
    faults.push(...parsed.faults);
    return undefined;
  };
  const { $text, ...others } = filter;
  const text = Object.hasOwn(filter, '$text') ? take(parseText($text, '/$text')) : undefined;
  const rest: (readonly [string, unknown])[] = [];
  const nears: (Near | undefined)[] = [];
  for (const [name, value] of Object.entries(others)) {
    if (!isOperators(value) || !Object.hasOwn(value, '$near')) {
      rest.push([name, value]);
      continue;
    }
    const { $near, ...beside } = value;
    const pointer = pointerTo(pointerTo('', name), '$near');
    nears.push(take(parseNear(name, $near, pointer)));
    if (nears.length > 1) faults.push(twice(pointer, 'Ask $near of one field: there is one order.'));
    if (Object.hasOwn(filter, '$text'))
      faults.push(twice(pointer, 'Ask either $text or $near: each has its own order.'));
    if (Object.keys(beside).length > 0) rest.push([name, beside]);
  }
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: { rest: Object.fromEntries(rest), text, near: nears[0] } };
}

const twice = (pointer: string, message: string): LocatedFault => ({ pointer, code: 'invalid-combination', message });
