import { pointerTo } from '../conditions/located-fault.ts';
import { maxFields } from '../queries/asked-query.ts';
import type { AskedLookup } from './aggregate.ts';
import { membersOf } from './parse-group.ts';
import type { Scope } from './scope.ts';
import { parseName, parsePath, refusal } from './scope.ts';
import type { Placed } from './stage-phases.ts';

const maxSortFields = 4;
/** More than any group holds: whatever leads to fewer records is a matter of the cost limit. */
const greatestLimit = 1_000_000;

/**
 * Parses the fields of an order, `-` before one for falling order.
 *
 * @throws Fault `invalid-request`
 */
export function parseTerms({ json, pointer }: Placed): readonly string[] {
  const terms = typeof json === 'string' ? json.split(',') : json;
  if (isTexts(terms) && terms.length <= maxSortFields) return terms;
  throw refusal(pointer, 'invalid-sort', `Give 1 to ${maxSortFields} names of fields, - before one for falling order.`);
}

/** @throws Fault `invalid-request` */
export function parseLimit({ json, pointer }: Placed): number {
  if (typeof json === 'number' && Number.isInteger(json) && json >= 1 && json <= greatestLimit) return json;
  throw refusal(pointer, 'invalid-limit', `Give a whole number from 1 to ${greatestLimit.toLocaleString('en')}.`);
}

/** @throws Fault `invalid-request` */
export function parseProject({ json, pointer }: Placed): readonly string[] {
  if (isTexts(json) && json.length <= maxFields) return json;
  throw refusal(pointer, 'invalid-project', `Give a list of 1 to ${maxFields} names of fields.`);
}

const lookupForm = 'Give {"reference": field, "as": name}, and perhaps "fields": [fields of what it refers to].';

/** @throws Fault `invalid-request` */
export function parseLookup({ json, pointer }: Placed, scope: Scope): AskedLookup {
  const { reference, as, fields } = membersOf(json, ['reference', 'as', 'fields'], pointer, lookupForm);
  const at = pointerTo(pointer, 'reference');
  const { path, target } = scope.resolve(reference, at);
  if (target === undefined) {
    throw refusal(
      at,
      'no-reference',
      `Name a field that the definition declares a reference: \`${path.text}\` is none.`,
    );
  }
  if (typeof as !== 'string') throw refusal(pointerTo(pointer, 'as'), 'invalid-name', lookupForm);
  const shown =
    fields === undefined ? undefined : { json: fields, name: 'fields', pointer: pointerTo(pointer, 'fields') };
  return {
    path,
    target,
    as: parseName(as, pointerTo(pointer, 'as')),
    fields: shown && parseProject(shown).map((text, index) => parsePath(text, pointerTo(shown.pointer, index))),
  };
}

const isTexts = (json: unknown): json is readonly string[] =>
  Array.isArray(json) && json.length > 0 && json.every((each) => typeof each === 'string');
