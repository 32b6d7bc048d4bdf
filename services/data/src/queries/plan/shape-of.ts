import type { Atom, Condition, ElementTest, Value } from '../../conditions/condition.ts';
import type { Sort } from '../../sorting/sort.ts';

/**
 * What of a query decides which indexes may serve it: everything but the values, and these where a partial index asks for one.
 *
 * @param filtered - the fields of which partial indexes ask a value (`filteredPaths`)
 * @returns text, the same for queries that differ in values alone
 */
export const shapeOf = (condition: Condition<Value>, sort: Sort, filtered: ReadonlySet<string>): string =>
  `${ofCondition(condition, filtered)} ${sort.map(({ path, direction }) => `${path.storage}:${direction}`).join()}`;

function ofCondition(condition: Condition<Value>, filtered: ReadonlySet<string>): string {
  switch (condition.kind) {
    case 'field': {
      const { atom, path } = condition;
      return `${JSON.stringify(path.storage)}${ofAtom(atom, filtered.has(path.storage) ? inFull : ofValue)}`;
    }
    case 'not':
      return `!(${ofCondition(condition.branch, filtered)})`;
    case 'and':
    case 'or':
    case 'nor':
      return `${condition.kind}(${condition.branches.map((branch) => ofCondition(branch, filtered)).join()})`;
  }
}

/** What is said of one value. */
type OfValue = (value: Value) => string;

const inFull: OfValue = (value) => JSON.stringify(value);

/** Within an array no partial index asks anything. */
const noPaths: ReadonlySet<string> = new Set();

function ofAtom(atom: Atom<Value>, ofEach: OfValue): string {
  switch (atom.op) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return `${atom.op}${ofEach(atom.operand)}`;
    case 'in':
    case 'all':
      return `${atom.op}${[...new Set(atom.operands.map(ofEach))].sort().join('')}${atom.operands.length}`;
    case 'regex':
      return `regex${atom.pattern.pcre}`;
    case 'element-matches':
      return `any(${ofCondition(atom.condition, noPaths)})`;
    case 'element-passes':
      return `any(${ofTest(atom.test)})`;
    case 'geo':
      return `${atom.op}${atom.relation}${atom.area.kind}`;
    case 'exists':
    case 'size':
      return atom.op;
  }
}

function ofTest(test: ElementTest<Value>): string {
  switch (test.kind) {
    case 'all':
      return `(${test.tests.map(ofTest).join()})`;
    case 'not':
      return `!${ofTest(test.test)}`;
    case 'atom':
      return ofAtom(test.atom, ofValue);
  }
}

/** By its type an index finds a value, and by whether it bounds anything: nothing, or the least of its type, does not. */
function ofValue(value: Value): string {
  if (value === null) return '0';
  if (typeof value === 'string') return value === '' ? 'e' : 's';
  if (typeof value !== 'object') return (typeof value).charAt(0);
  if (value instanceof Date) return 't';
  return Array.isArray(value) ? 'a' : 'o';
}
