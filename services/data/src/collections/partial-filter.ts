import { bindCondition } from '../conditions/bind-condition.ts';
import { compileFilter } from '../conditions/compile-filter.ts';
import type { Atom, Condition, Value } from '../conditions/condition.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { isObject } from '../conditions/plain-value.ts';
import { parseCondition } from '../conditions/parse-condition.ts';

/**
 * What MongoDB 6.0 takes of a filter: https://www.mongodb.com/docs/v6.0/core/index-partial/. Nothing asks for what is missing,
 * null neither: a record that loses a field, as by an erasure, never comes into an index by that.
 */
const operators: ReadonlySet<string> = new Set(['$eq', '$gt', '$gte', '$lt', '$lte', '$in', '$exists']);

/** Levels of `$and` and `$or`: MongoDB takes four, that of the fields included. */
const maxLevels = 3;

/**
 * Parses the `where` of an index: the filter that a record has to meet to be in it.
 *
 * @param json - as `JSON.parse` gave it
 * @param pointer - where it stands, for the faults
 * @returns the condition in one form, however it was written: no level that another could hold, parts in one order
 */
export function parsePartialFilter(json: unknown, pointer: string): Parsed<Condition<Value>> {
  const parsed = parseCondition(json, { auth: false, pointer });
  if (!parsed.ok) return parsed;
  const faults = refusedParts(json, pointer);
  if (faults.length > 0) return { ok: false, faults };
  const condition = canonical(bindCondition(parsed.value, {}));
  if (levelsOf(condition) <= maxLevels) return { ok: true, value: condition };
  return { ok: false, faults: [fault(pointer, `Nest $and and $or in at most ${maxLevels} levels.`)] };
}

const fault = (pointer: string, message: string): LocatedFault => ({ pointer, code: 'invalid-where', message });

/** What of a filter no index can be told; that it is a filter has been seen already. */
function refusedParts(json: unknown, pointer: string): LocatedFault[] {
  const parts = isObject(json) ? Object.entries(json) : [];
  if (parts.length === 0) return [fault(pointer, 'Ask something of a record here, or leave `where` out.')];
  return parts.flatMap(([name, value]): LocatedFault[] => {
    const at = pointerTo(pointer, name);
    if (name === '$and' || name === '$or') {
      return Array.isArray(value) ? value.flatMap((each, index) => refusedParts(each, pointerTo(at, index))) : [];
    }
    if (name.startsWith('$')) return [refusedOperator(name, at)];
    const isOperators = isObject(value) && Object.keys(value)[0]?.startsWith('$') === true;
    if (!isOperators) return refusedValue(value, at);
    return Object.entries(value).flatMap(([operator, operand]) => {
      const place = pointerTo(at, operator);
      if (!operators.has(operator)) return [refusedOperator(operator, place)];
      if (operator === '$exists') return operand === true ? [] : [refusedOperator('$exists: false', place)];
      if (operator !== '$in' || !Array.isArray(operand)) return refusedValue(operand, place);
      if (operand.length === 0) return [fault(place, 'Give at least one value.')];
      return operand.flatMap((each: unknown, index) => refusedValue(each, pointerTo(place, index)));
    });
  });
}

const refusedOperator = (name: string, pointer: string): LocatedFault =>
  fault(pointer, `Use ${[...operators].join(', ')}, $and and $or: the \`where\` of an index takes no \`${name}\`.`);

const refusedValue = (value: unknown, pointer: string): LocatedFault[] =>
  typeof value === 'object' ? [fault(pointer, 'Compare with a text, a number, true or false.')] : [];

/** The same condition in one form: MongoDB refuses a second index whose filter means the same to it. */
function canonical(condition: Condition<Value>): Condition<Value> {
  if (condition.kind === 'field') return { ...condition, atom: canonicalAtom(condition.atom) };
  if (condition.kind !== 'and' && condition.kind !== 'or') return condition;
  const { kind } = condition;
  const branches = condition.branches
    .map(canonical)
    .flatMap((branch) => (branch.kind === kind ? branch.branches : [branch]));
  const ordered = inOneOrder(branches, (branch) => JSON.stringify(compileFilter(branch)));
  const [only, ...more] = ordered;
  return only !== undefined && more.length === 0 ? only : { kind, branches: ordered };
}

function canonicalAtom(atom: Atom<Value>): Atom<Value> {
  if (atom.op !== 'in') return atom;
  const operands = inOneOrder(atom.operands, (operand) => JSON.stringify(operand));
  const [only, ...more] = operands;
  return only !== undefined && more.length === 0 ? { op: 'eq', operand: only } : { op: 'in', operands };
}

/** Each once, ordered by what it says. */
function inOneOrder<T>(values: readonly T[], textOf: (value: T) => string): T[] {
  const byText = new Map(values.map((value) => [textOf(value), value]));
  return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, value]) => value);
}

const levelsOf = (condition: Condition<Value>): number =>
  condition.kind === 'and' || condition.kind === 'or' ? 1 + Math.max(0, ...condition.branches.map(levelsOf)) : 0;
