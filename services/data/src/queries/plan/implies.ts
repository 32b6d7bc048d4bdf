import type { Atom, Comparison, Condition, Value } from '../../conditions/condition.ts';
import { compareValues, typeRank } from '../../conditions/bson-order.ts';

/** The value that an operand stands for; undefined where it is the caller's, and not known. */
export type ValueOf<O> = (operand: O) => Value | undefined;

/** The operand itself, of a condition that is bound to a caller. */
export const boundValue = (value: Value): Value => value;

/**
 * Whether all records that meet a condition meet a partial filter as well, as far as MongoDB sees it: only then does it look for
 * them in an index that holds no others (`expression::isSubsetOf` in its `expression_algo.cpp`).
 *
 * @param condition - what is asked of a record
 * @param filter - of an index, by `parsePartialFilter`
 */
export function implies<O>(condition: Condition<O>, filter: Condition<Value>, valueOf: ValueOf<O>): boolean {
  if (filter.kind === 'and') return filter.branches.every((branch) => implies(condition, branch, valueOf));
  if (condition.kind === 'or' && condition.branches.length > 0) {
    return condition.branches.every((branch) => implies(branch, filter, valueOf));
  }
  if (condition.kind === 'and' && condition.branches.some((branch) => implies(branch, filter, valueOf))) return true;
  if (filter.kind === 'or') return filter.branches.some((branch) => implies(condition, branch, valueOf));
  if (condition.kind !== 'field' || filter.kind !== 'field') return false;
  return condition.path.storage === filter.path.storage && atomImplies(condition.atom, filter.atom, valueOf);
}

function atomImplies<O>(atom: Atom<O>, wanted: Atom<Value>, valueOf: ValueOf<O>): boolean {
  switch (atom.op) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return meets(atom.op, valueOf(atom.operand), wanted);
    case 'in':
      return atom.operands.length > 0 && atom.operands.every((each) => meets('eq', valueOf(each), wanted));
    case 'all':
      return atom.operands.some((each) => meets('eq', valueOf(each), wanted));
    case 'exists':
    case 'size':
    case 'regex':
    case 'geo':
    case 'element-passes':
    case 'element-matches':
      return wanted.op === 'exists';
  }
}

/** Whether what compares so with a value meets what is wanted. */
function meets(op: Comparison, value: Value | undefined, wanted: Atom<Value>): boolean {
  if (value === null) return false;
  // What is not known is compared with all the same, and is not missing.
  if (wanted.op === 'exists') return true;
  if (value === undefined) return false;
  if (wanted.op === 'in') return op === 'eq' && wanted.operands.some((each) => compareValues(value, each) === 0);
  if (!isComparison(wanted) || typeRank(value) !== typeRank(wanted.operand)) return false;
  const order = compareValues(value, wanted.operand);
  switch (wanted.op) {
    case 'eq':
      return op === 'eq' && order === 0;
    case 'gt':
      return op === 'gt' ? order >= 0 : (op === 'gte' || op === 'eq') && order > 0;
    case 'gte':
      return (op === 'gt' || op === 'gte' || op === 'eq') && order >= 0;
    case 'lt':
      return op === 'lt' ? order <= 0 : (op === 'lte' || op === 'eq') && order < 0;
    case 'lte':
      return (op === 'lt' || op === 'lte' || op === 'eq') && order <= 0;
  }
}

const isComparison = (atom: Atom<Value>): atom is Extract<Atom<Value>, { readonly op: Comparison }> =>
  atom.op === 'eq' || atom.op === 'gt' || atom.op === 'gte' || atom.op === 'lt' || atom.op === 'lte';
