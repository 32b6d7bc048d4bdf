import type { Document } from 'mongodb';
import type { Atom, Condition, ElementTest, Value } from './condition.ts';
import type { Area } from './geo/geometry.ts';

/** MongoDB's form of a condition that nothing meets, and that its planner answers without reading. */
const never = { _id: { $in: [] } };

/**
 * Compiles a condition to a MongoDB query over stored documents.
 *
 * Every operand stands behind an explicit operator, so that no value can be read as one.
 *
 * @param condition - Bound to its caller.
 */
export function compileFilter(condition: Condition<Value>): Document {
  switch (condition.kind) {
    case 'and':
      return condition.branches.length === 0 ? {} : { $and: condition.branches.map(compileFilter) };
    case 'or':
      return condition.branches.length === 0 ? never : { $or: condition.branches.map(compileFilter) };
    case 'nor':
      return { $nor: condition.branches.map(compileFilter) };
    case 'not':
      return compileNegation(condition.branch);
    case 'field':
      return { [condition.path.storage]: compileAtom(condition.atom) };
  }
}

function compileNegation(branch: Condition<Value>): Document {
  const operator = branch.kind === 'field' ? negated(branch.atom) : undefined;
  if (branch.kind === 'field' && operator !== undefined) return { [branch.path.storage]: operator };
  return { $nor: [compileFilter(branch)] };
}

function compileAtom(atom: Atom<Value>): Document {
  switch (atom.op) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return { [`$${atom.op}`]: atom.operand };
    case 'in':
    case 'all':
      return { [`$${atom.op}`]: atom.operands };
    case 'exists':
      return { $exists: true };
    case 'size':
      return { $size: atom.size };
    case 'regex':
      return { $regex: atom.pattern.pcre };
    case 'geo':
      return { [atom.relation === 'within' ? '$geoWithin' : '$geoIntersects']: compileArea(atom.area) };
    case 'element-matches':
      return { $elemMatch: compileFilter(atom.condition) };
    case 'element-passes':
      return { $elemMatch: compileTest(atom.test) };
  }
}

const compileArea = (area: Area): Document =>
  area.kind === 'geometry' ? { $geometry: area.geometry } : { $centerSphere: [area.center, area.radians] };

/** The operator that means the opposite of an atom's, where there is one. */
function negated(atom: Atom<Value>): Document | undefined {
  if (atom.op === 'eq') return { $ne: atom.operand };
  if (atom.op === 'in') return { $nin: atom.operands };
  return atom.op === 'exists' ? { $exists: false } : undefined;
}

/** A parsed test has each operator once, as it came from one JSON object: merging loses none. */
function compileTest(test: ElementTest<Value>): Document {
  switch (test.kind) {
    case 'all':
      return Object.assign({}, ...test.tests.map(compileTest)) as Document;
    case 'atom':
      return compileAtom(test.atom);
    case 'not':
      return (test.test.kind === 'atom' ? negated(test.test.atom) : undefined) ?? { $not: compileTest(test.test) };
  }
}
