import type { Atom, Operand } from './condition.ts';
import type { FieldPath } from './field-path.ts';
import { parseOperand, parseOperands, parseOrderedOperand } from './operand.ts';
import type { ParseState, Place } from './parse-state.ts';
import { conditionLimits, isSearch } from './parse-state.ts';
import { compilePattern } from './pattern.ts';

/** The operators of one field, as they stand beside each other. */
export type Operators = Readonly<Record<string, unknown>>;

const orders = { $gt: 'gt', $gte: 'gte', $lt: 'lt', $lte: 'lte' } as const;

const known = '$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $not, $all, $elemMatch, $size and $regex';

/** Whether an operator means the opposite of the atom that {@link parseAtom} makes of it. */
export const isNegative = (name: string, operand: unknown): boolean =>
  name === '$ne' || name === '$nin' || (name === '$exists' && operand === false);

/**
 * Parses an operator that asks something of one value without nesting others: all but `$not` and `$elemMatch`. `$ne`,
 * `$nin` and `$exists: false` give what they are the opposite of.
 *
 * @param siblings - the operators beside it: `$regex` takes its `$options` from there
 * @returns nothing where it is faulty, or no test of its own
 */
export function parseAtom(
  state: ParseState,
  name: string,
  siblings: Operators,
  { holds }: Pick<FieldPath, 'holds'>,
  place: Place,
): Atom<Operand>[] {
  const operand = siblings[name];
  const at = { pointer: place.pointer, holds, allowed: state.allowed };
  switch (name) {
    case '$eq':
    case '$ne':
      return state.take(parseOperand(operand, at), (value) => ({ op: 'eq', operand: value }));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return state.take(parseOrderedOperand(operand, at), (value) => ({ op: orders[name], operand: value }));
    case '$in':
    case '$nin':
    case '$all': {
      const op = name === '$all' ? 'all' : 'in';
      if (Array.isArray(operand) && !state.count(place, operand.length)) return [];
      return state.take(parseOperands(operand, at, conditionLimits.items), (operands) => ({ op, operands }));
    }
    case '$exists':
      if (typeof operand === 'boolean') return [{ op: 'exists' }];
      state.fault(place.pointer, 'invalid-operand', 'Give $exists true or false.');
      return [];
    case '$size':
      return parseSize(state, operand, place);
    case '$regex':
      return parseRegex(state, operand, siblings, place);
    case '$options':
      if (Object.hasOwn(siblings, '$regex')) return [];
      state.fault(place.pointer, 'invalid-operand', 'Use $options beside $regex.');
      return [];
    default:
      if (isSearch(name)) state.misplacedOperator(name, place.pointer);
      else state.unknownOperator(name, place.pointer, known);
      return [];
  }
}

function parseSize(state: ParseState, operand: unknown, { pointer }: Place): Atom<Operand>[] {
  if (typeof operand === 'number' && Number.isInteger(operand) && operand >= 0 && operand < 2 ** 31) {
    return [{ op: 'size', size: operand }];
  }
  state.fault(pointer, 'invalid-operand', 'Give $size a whole number, 0 or more.');
  return [];
}

function parseRegex(state: ParseState, source: unknown, siblings: Operators, { pointer }: Place): Atom<Operand>[] {
  const options = Object.hasOwn(siblings, '$options') ? siblings.$options : '';
  if (typeof source !== 'string' || typeof options !== 'string') {
    state.fault(pointer, 'invalid-operand', 'Give $regex a text, and $options a text of i, m and s.');
    return [];
  }
  return state.take(compilePattern(source, options, pointer, state.patterns), (pattern) => ({ op: 'regex', pattern }));
}
