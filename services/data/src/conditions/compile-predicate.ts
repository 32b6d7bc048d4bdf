import { compareText, compareValues, typeRank } from './bson-order.ts';
import type { Atom, Comparison, Condition, ElementTest, Value } from './condition.ts';
import { compileLies } from './geo/compile-lies.ts';
import type { Spend } from './pattern/automaton.ts';
import type { Test } from './values-at.ts';
import { compileSomeAt } from './values-at.ts';

/** Whether a stored document meets a condition. */
export type Predicate = (document: object) => boolean;

/**
 * Compiles a condition to a predicate over stored documents that gives what MongoDB gives for `compileFilter` of the same
 * condition; `conditions-agree.int.spec.ts` holds the two against each other.
 *
 * @param condition - Bound to its caller.
 * @param spend - Is told of the work of patterns and places, which grows with the values; what it throws ends the evaluation.
 */
export function compilePredicate(condition: Condition<Value>, spend: Spend): Predicate {
  switch (condition.kind) {
    case 'and': {
      const branches = condition.branches.map((each) => compilePredicate(each, spend));
      return (document) => branches.every((branch) => branch(document));
    }
    case 'or': {
      const branches = condition.branches.map((each) => compilePredicate(each, spend));
      return (document) => branches.some((branch) => branch(document));
    }
    case 'nor': {
      const branches = condition.branches.map((each) => compilePredicate(each, spend));
      return (document) => !branches.some((branch) => branch(document));
    }
    case 'not': {
      const branch = compilePredicate(condition.branch, spend);
      return (document) => !branch(document);
    }
    case 'field':
      return compileField(condition.path.segments, condition.atom, spend);
  }
}

function compileField(segments: readonly string[], atom: Atom<Value>, spend: Spend): Predicate {
  switch (atom.op) {
    case 'all': {
      const each = atom.operands.map((operand) => compileSomeAt(segments, 'elements', equals(operand)));
      return each.length === 0 ? () => false : (document) => each.every((some) => some(document));
    }
    case 'size':
    case 'element-passes':
    case 'element-matches':
      return compileSomeAt(segments, 'itself', compileAtom(atom, spend));
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'in':
    case 'exists':
    case 'regex':
    case 'geo':
      return compileSomeAt(segments, 'elements', compileAtom(atom, spend));
  }
}

/** What an atom asks of one value. */
function compileAtom(atom: Atom<Value>, spend: Spend): Test {
  switch (atom.op) {
    case 'eq':
      return equals(atom.operand);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return isOrdered(atom.op, atom.operand);
    case 'in':
      return isAmong(atom.operands);
    case 'all': {
      const tests = atom.operands.map(equals);
      return (value) => tests.length > 0 && tests.every((test) => test(value));
    }
    case 'exists':
      return (value) => value !== undefined;
    case 'size':
      return (value) => Array.isArray(value) && value.length === atom.size;
    case 'regex':
      return (value) => typeof value === 'string' && atom.pattern.test(value, spend);
    case 'geo':
      return compileLies(atom.relation, atom.area, spend);
    case 'element-passes': {
      const test = compileTest(atom.test, spend);
      return (value) => Array.isArray(value) && value.some(test);
    }
    case 'element-matches': {
      const predicate = compilePredicate(atom.condition, spend);
      // To MongoDB an array among the elements is a document too, whose fields are "0", "1" and so on.
      return (value) =>
        Array.isArray(value) &&
        value.some((element) => typeof element === 'object' && element !== null && predicate(element as object));
    }
  }
}

function compileTest(test: ElementTest<Value>, spend: Spend): Test {
  switch (test.kind) {
    case 'all': {
      const tests = test.tests.map((each) => compileTest(each, spend));
      return (value) => tests.every((each) => each(value));
    }
    case 'not': {
      const inner = compileTest(test.test, spend);
      return (value) => !inner(value);
    }
    case 'atom':
      return compileAtom(test.atom, spend);
  }
}

/** Null is equal to what is missing; everything else only to its own type. */
function equals(operand: Value): Test {
  if (operand === null) return (value) => value === null || value === undefined;
  if (typeof operand === 'object') return (value) => compareValues(value, operand) === 0;
  return (value) => value === operand;
}

/** Values of one type are ordered; values of different types are neither more nor less than each other. */
function isOrdered(op: Exclude<Comparison, 'eq'>, operand: Value): Test {
  const passes = directions[op];
  if (typeof operand === 'number') return (value) => typeof value === 'number' && passes(value - operand);
  if (typeof operand === 'string') {
    return (value) => typeof value === 'string' && passes(compareText(value, operand));
  }
  const rank = typeRank(operand);
  return (value) => typeRank(value) === rank && passes(compareValues(value, operand));
}

const directions: Readonly<Record<Exclude<Comparison, 'eq'>, (order: number) => boolean>> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};

function isAmong(operands: readonly Value[]): Test {
  const scalars = new Set<unknown>(operands.filter((operand) => typeof operand !== 'object'));
  const others = operands.filter((operand) => typeof operand === 'object').map(equals);
  return (value) => scalars.has(value) || others.some((test) => test(value));
}
