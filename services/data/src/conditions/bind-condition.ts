import type { Atom, AuthName, Condition, ElementTest, Operand, Value } from './condition.ts';
import { nothing } from './condition.ts';

/** What is known of a caller, by the names that rules use; a name that is absent makes an alternative false. */
export type AuthValues = Readonly<Partial<Record<AuthName, string | readonly string[]>>>;

/** Fills the caller's values into operands; throws `Unbound` for one that is absent. */
type Fill = (operand: Operand) => readonly Value[];

class Unbound extends Error {}

/**
 * Fills a caller's values into a condition.
 *
 * @param condition - A filter, or one alternative of a rule.
 * @param auth - The caller; empty for a filter, which has no places to fill.
 * @returns The condition without places, or `nothing` when a value that it names is absent, whatever its operator.
 */
export function bindCondition(condition: Condition<Operand>, auth: AuthValues): Condition<Value> {
  const fill: Fill = (operand) => {
    if (operand.kind === 'value') return [operand.value];
    const value = Object.hasOwn(auth, operand.name) ? auth[operand.name] : undefined;
    if (value === undefined) throw new Unbound();
    return typeof value === 'string' ? [value] : value;
  };
  try {
    return bind(condition, fill);
  } catch (error) {
    if (error instanceof Unbound) return nothing;
    throw error;
  }
}

function bind(condition: Condition<Operand>, fill: Fill): Condition<Value> {
  switch (condition.kind) {
    case 'and':
    case 'or':
    case 'nor':
      return { kind: condition.kind, branches: condition.branches.map((branch) => bind(branch, fill)) };
    case 'not':
      return { kind: 'not', branch: bind(condition.branch, fill) };
    case 'field':
      return { kind: 'field', path: condition.path, atom: bindAtom(condition.atom, fill) };
  }
}

function bindAtom(atom: Atom<Operand>, fill: Fill): Atom<Value> {
  switch (atom.op) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const [operand = null] = fill(atom.operand);
      return { op: atom.op, operand };
    }
    case 'in':
    case 'all':
      return { op: atom.op, operands: atom.operands.flatMap(fill) };
    case 'element-passes':
      return { op: atom.op, test: bindTest(atom.test, fill) };
    case 'element-matches':
      return { op: atom.op, condition: bind(atom.condition, fill) };
    case 'exists':
    case 'size':
    case 'regex':
      return atom;
  }
}

function bindTest(test: ElementTest<Operand>, fill: Fill): ElementTest<Value> {
  switch (test.kind) {
    case 'all':
      return { kind: 'all', tests: test.tests.map((each) => bindTest(each, fill)) };
    case 'not':
      return { kind: 'not', test: bindTest(test.test, fill) };
    case 'atom':
      return { kind: 'atom', atom: bindAtom(test.atom, fill) };
  }
}
