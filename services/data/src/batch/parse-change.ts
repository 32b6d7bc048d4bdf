import { faults } from '@causeway/contracts';

import type { Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { applyOperators } from '../operators/apply-operators.ts';
import { parseOperators } from '../operators/parse-operators.ts';
import { applyJsonPatch, jsonPatch } from '../records/json-patch.ts';
import { mergePatch } from '../records/merge-patch.ts';
import type { Fields } from '../records/record.model.ts';
import { withIds } from './named-ids.ts';
import type { IdOf } from './operation.ts';

/** How an update changes its record, and the member that says so. */
export interface Change {
  readonly member: string;
  readonly change: (fields: Fields, idOf: IdOf) => unknown;
}

type ChangeParser = (json: unknown, pointer: string) => Parsed<Change['change']>;

const isObject = (json: unknown): boolean => typeof json === 'object' && json !== null && !Array.isArray(json);

const refused = (pointer: string, code: string, message: string): Parsed<never> => ({
  ok: false,
  faults: [{ pointer, code, message }],
});

/** Stands for an id that is not known yet. */
const someId = (): string => 'rec_';

/** The ways to say it, as for a single record: all fields anew, a merge patch, a JSON Patch, operators. */
const parsers: Readonly<Record<string, ChangeParser>> = {
  fields: (json, pointer) =>
    isObject(json)
      ? { ok: true, value: (_fields, idOf) => withIds(json, idOf) }
      : refused(pointer, 'invalid-fields', 'Give all fields anew, as an object.'),
  merge: (json, pointer) =>
    isObject(json)
      ? { ok: true, value: (fields, idOf) => mergePatch(fields, withIds(json, idOf)) }
      : refused(pointer, 'invalid-merge', 'Give a merge patch (RFC 7396), as an object.'),
  patch: (json, pointer) => {
    const parsed = jsonPatch.safeParse(json);
    if (parsed.success) {
      return { ok: true, value: (fields, idOf) => applyJsonPatch(fields, withIds(parsed.data, idOf) as never) };
    }
    const [issue] = parsed.error.issues;
    const at = (issue?.path ?? []).reduce<string>((before, part) => pointerTo(before, String(part)), pointer);
    return refused(at, 'invalid-patch', 'Give a JSON Patch (RFC 6902): an array of at most 200 operations.');
  },
  operators: (json, pointer) => {
    const parsed = parseOperators(withIds(json, someId));
    if (!parsed.ok) {
      return { ok: false, faults: parsed.faults.map((each) => ({ ...each, pointer: `${pointer}${each.pointer}` })) };
    }
    return {
      ok: true,
      value: (fields, idOf) => {
        const operators = parseOperators(withIds(json, idOf));
        if (!operators.ok) throw faults.invalidRequest({ errors: operators.faults });
        return applyOperators(fields, operators.value);
      },
    };
  },
};
const ways = Object.keys(parsers);

/**
 * Parses how an update changes its record.
 *
 * @param json - the operation
 * @param at - where it stands
 */
export function parseChange(json: Readonly<Record<string, unknown>>, at: string): Parsed<Change> {
  const [member, ...others] = ways.filter((way) => json[way] !== undefined);
  const parse = member === undefined ? undefined : parsers[member];
  if (member === undefined || parse === undefined || others.length > 0) {
    return refused(at, 'invalid-change', `Say how to change it by one of ${ways.join(', ')}.`);
  }
  const parsed = parse(json[member], pointerTo(at, member));
  return parsed.ok ? { ok: true, value: { member, change: parsed.value } } : parsed;
}
