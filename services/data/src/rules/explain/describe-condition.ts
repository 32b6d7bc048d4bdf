import type { Atom, Comparison, Condition, ElementTest, Operand } from '../../conditions/condition.ts';
import type { FieldPath } from '../../conditions/field-path.ts';
import { cut } from '../../records/record-faults.ts';
import { describeList, describeOperand, isTime } from './describe-operand.ts';

const longestText = 1_000;

/** What is asked for, and its opposite. */
type Phrase = readonly [asked: string, opposite: string];

/** Says in English what a condition asks of a record: "`status` is "published" and `author` is the caller". */
export const describeCondition = (condition: Condition<Operand>): string => cut(describe(condition), longestText);

function describe(condition: Condition<Operand>): string {
  switch (condition.kind) {
    case 'field':
      return describeField(condition.path, condition.atom)[0];
    case 'and':
      return condition.branches.length === 0 ? 'anything' : joined(condition.branches, 'and');
    case 'or':
      return condition.branches.length === 0 ? 'nothing' : joined(condition.branches, 'or');
    case 'nor':
      return `none of this: ${condition.branches.map(describe).join('; ')}`;
    case 'not':
      return describeOpposite(condition.branch);
  }
}

/** In brackets where branches are joined otherwise than what they are in. */
function joined(branches: readonly Condition<Operand>[], word: 'and' | 'or'): string {
  const [only, ...more] = branches;
  if (only !== undefined && more.length === 0) return describe(only);
  return branches.map(inBrackets).join(` ${word} `);
}

const inBrackets = (condition: Condition<Operand>): string =>
  isOne(condition) ? describe(condition) : `(${describe(condition)})`;

const isOne = (condition: Condition<Operand>): boolean =>
  condition.kind === 'field' ||
  (condition.kind === 'not' && isOne(condition.branch)) ||
  ((condition.kind === 'and' || condition.kind === 'or') &&
    condition.branches.length <= 1 &&
    condition.branches.every(isOne));

function describeOpposite(condition: Condition<Operand>): string {
  if (condition.kind === 'field') return describeField(condition.path, condition.atom)[1];
  const [only, ...more] = condition.kind === 'and' ? condition.branches : [];
  return only !== undefined && more.length === 0 ? describeOpposite(only) : `not (${describe(condition)})`;
}

function describeField(path: FieldPath, atom: Atom<Operand>): Phrase {
  const name = `\`${path.text}\``;
  const [asked, opposite] = describeAtom(atom, path);
  return [`${name} ${asked}`, `${name} ${opposite}`];
}

const is = (what: string): Phrase => [`is ${what}`, `is not ${what}`];
const has = (what: string, no: string): Phrase => [`has ${what}`, `has ${no}`];

const orders: Readonly<Record<Exclude<Comparison, 'eq'>, readonly [value: string, time: string]>> = {
  gt: ['more than', 'later than'],
  gte: ['at least', 'at or later than'],
  lt: ['less than', 'earlier than'],
  lte: ['at most', 'at or earlier than'],
};

function describeAtom(atom: Atom<Operand>, path: FieldPath | undefined): Phrase {
  switch (atom.op) {
    case 'eq':
      return is(describeOperand(atom.operand, path));
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return is(`${orders[atom.op][isTime(atom.operand) ? 1 : 0]} ${describeOperand(atom.operand, path)}`);
    case 'in': {
      const [first] = atom.operands;
      if (first?.kind === 'follow') return describeFollowed(first.condition);
      const list = describeList(atom.operands);
      return [`is one of ${list}`, `is none of ${list}`];
    }
    case 'all':
      return [`has each of ${describeList(atom.operands)}`, `has not each of ${describeList(atom.operands)}`];
    case 'exists':
      return ['is there', 'is missing'];
    case 'size':
      return [`has ${elements(atom.size)}`, `has not ${elements(atom.size)}`];
    case 'regex':
      return [`matches ${atom.pattern.text}`, `does not match ${atom.pattern.text}`];
    case 'geo':
      return atom.relation === 'within'
        ? ['lies within an area', 'does not lie within an area']
        : ['meets an area', 'does not meet an area'];
    case 'element-passes': {
      const test = describeTest(atom.test);
      return has(`an element that ${test}`, `no element that ${test}`);
    }
    case 'element-matches': {
      const inner = inBrackets(atom.condition);
      return has(`an element in which ${inner}`, `no element in which ${inner}`);
    }
  }
}

const describeFollowed = (condition: Condition<Operand>): Phrase => {
  const inner = inBrackets(condition);
  return [`names a record in which ${inner}`, `names no record in which ${inner}`];
};

const elements = (count: number): string => `${count} ${count === 1 ? 'element' : 'elements'}`;

function describeTest(test: ElementTest<Operand>): string {
  switch (test.kind) {
    case 'all':
      return test.tests.map(describeTest).join(' and ');
    case 'atom':
      return describeAtom(test.atom, undefined)[0];
    case 'not':
      return test.test.kind === 'atom'
        ? describeAtom(test.test.atom, undefined)[1]
        : `does not meet this: ${describeTest(test.test)}`;
  }
}
