import { parseFieldPath, fieldsKey } from '../conditions/field-path.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { checkPlainValue, isObject } from '../conditions/plain-value.ts';
import { operandBounds } from '../operators/element-condition.ts';
import type { Operator } from '../operators/operator.ts';
import { parseOperators } from '../operators/parse-operators.ts';
import type { Conversion } from './convert-value.ts';
import { isConversion } from './convert-value.ts';

/** Where something stands, below a record's fields. */
type Segments = readonly string[];

/** What a migration alone does with a record, in the order in which it is done. */
export type MigrationChange =
  | { readonly name: '$rename' | '$copy'; readonly from: Segments; readonly to: Segments }
  | { readonly name: '$convert'; readonly at: Segments; readonly to: Conversion }
  | { readonly name: '$default'; readonly at: Segments; readonly value: unknown };

/** What is done with a record. */
export interface MigrationOperators {
  readonly changes: readonly MigrationChange[];
  /** Of a patch; they come last. */
  readonly operators: readonly Operator[];
}

const own = ['$rename', '$copy', '$convert', '$default'] as const;
type OwnName = (typeof own)[number];
const maxPaths = 100;

/**
 * Parses what a step does with records: `{"$rename": {"name": "title"}, "$default": {"status": "draft"}, "$inc": {"version": 1}}`.
 *
 * @param json - As `JSON.parse` gave it.
 * @param pointer - Where it stands, for the faults.
 */
export function parseMigrationOperators(json: unknown, pointer: string): Parsed<MigrationOperators> {
  if (!isObject(json) || Object.keys(json).length === 0) {
    return refused(pointer, 'invalid-patch', `Give an object of operators: ${own.join(', ')}, or those of a patch.`);
  }
  const parsed = own.flatMap((name) => (json[name] === undefined ? [] : [parseOwn(name, json[name], pointer)]));
  const rest = Object.fromEntries(Object.entries(json).filter(([name]) => !own.some((each) => each === name)));
  const patch = Object.keys(rest).length === 0 ? { ok: true as const, value: [] } : parseOperators(rest);
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (!patch.ok) faults.push(...patch.faults.map((each) => ({ ...each, pointer: `${pointer}${each.pointer}` })));
  if (faults.length > 0 || !patch.ok) return { ok: false, faults };
  const changes = parsed.flatMap((each) => (each.ok ? each.value : []));
  return { ok: true, value: { changes, operators: patch.value } };
}

function parseOwn(name: OwnName, json: unknown, at: string): Parsed<readonly MigrationChange[]> {
  const pointer = pointerTo(at, name);
  if (!isObject(json) || Object.keys(json).length === 0 || Object.keys(json).length > maxPaths) {
    return refused(pointer, 'invalid-operand', `Give ${name} an object of 1 to ${maxPaths} paths.`);
  }
  const parsed = Object.entries(json).map(([path, operand]) =>
    parseEntry(name, path, operand, pointerTo(pointer, path)),
  );
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (faults.length > 0) return { ok: false, faults };
  const changes = parsed.flatMap((each) => (each.ok ? [each.value] : []));
  const conflict = findConflict(changes);
  if (conflict === undefined) return { ok: true, value: changes };
  return refused(pointerTo(pointer, conflict), 'conflicting-paths', `Let no path of ${name} be within another.`);
}

function parseEntry(name: OwnName, path: string, operand: unknown, pointer: string): Parsed<MigrationChange> {
  const from = parsePath(path, pointer);
  if (!from.ok) return from;
  if (name === '$rename' || name === '$copy') {
    if (typeof operand !== 'string')
      return refused(pointer, 'invalid-operand', `Give ${name} the path of the new field.`);
    const to = parsePath(operand, pointer);
    return to.ok ? { ok: true, value: { name, from: from.value, to: to.value } } : to;
  }
  if (name === '$convert') {
    if (isConversion(operand)) return { ok: true, value: { name, at: from.value, to: operand } };
    return refused(pointer, 'invalid-operand', 'Convert to "string", "number", "integer" or "boolean".');
  }
  const faults = checkPlainValue(operand, pointer, operandBounds);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { name, at: from.value, value: operand } };
}

function parsePath(text: string, pointer: string): Parsed<Segments> {
  const path = parseFieldPath(text, 'record', pointer);
  if (!path.ok) return path;
  const [root, ...segments] = path.value.segments;
  if (root === fieldsKey) return { ok: true, value: segments };
  return refused(pointer, 'invalid-path', `Leave \`${text}\` out: the service keeps it itself.`);
}

/** @returns the path whose place is that of another, or within it */
function findConflict(changes: readonly MigrationChange[]): string | undefined {
  const placesOf = (change: MigrationChange): readonly Segments[] =>
    'from' in change ? [change.from, change.to] : [change.at];
  const within = (one: Segments, other: Segments): boolean => other.every((segment, at) => one[at] === segment);
  const seen: Segments[] = [];
  for (const change of changes) {
    for (const place of placesOf(change)) {
      const meets = (other: Segments): boolean => within(place, other) || within(other, place);
      if (seen.some(meets)) return placesOf(change)[0]?.join('.');
      seen.push(place);
    }
  }
  return undefined;
}

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
