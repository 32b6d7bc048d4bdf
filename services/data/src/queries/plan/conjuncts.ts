import type { Atom, Condition, ElementTest } from '../../conditions/condition.ts';
import type { FieldPath } from '../../conditions/field-path.ts';

/** How an index helps to find what has a field so: by single values, between two, or by going along all of it. */
export type Help = 'equal' | 'range' | 'wide';

/** Something that a record has to have, and that an index may lead to. */
export interface Conjunct {
  /** As clients write it. */
  readonly path: string;
  readonly help: Help;
}

/** Sets of conjuncts, one of which a record has to meet. */
export type Alternatives = readonly (readonly Conjunct[])[];

/** What is asked in more ways is looked at as one that no index serves. */
const mostAlternatives = 64;

/** Everything, as far as indexes know: nothing leads to it. */
const unknown: Alternatives = [[]];

/**
 * Takes a condition apart into what indexes can lead to: alternatives, each of which asks for all of its conjuncts. What no
 * index knows is left out.
 *
 * @param condition - bound to a caller or not
 */
export function alternativesOf(condition: Condition<unknown>, prefix = ''): Alternatives {
  switch (condition.kind) {
    case 'field':
      return helped(condition.path, condition.atom, prefix);
    case 'or':
      return bounded(condition.branches.flatMap((branch) => alternativesOf(branch, prefix)));
    case 'and':
      return allOf(condition.branches.map((branch) => alternativesOf(branch, prefix)));
    case 'not':
      return negated(condition.branch, prefix);
    case 'nor':
      return allOf(condition.branches.map((branch) => negated(branch, prefix)));
  }
}

const bounded = (alternatives: Alternatives): Alternatives =>
  alternatives.length > mostAlternatives ? unknown : alternatives;

const allOf = (parts: readonly Alternatives[]): Alternatives =>
  parts.reduce<Alternatives>(
    (all, part) => bounded(all.flatMap((one) => part.map((other) => [...one, ...other]))),
    unknown,
  );

/** MongoDB goes along an index for what is not one value; for the opposite of anything else it looks at records. */
function negated(branch: Condition<unknown>, prefix: string): Alternatives {
  if (branch.kind !== 'field')
    return branch.kind === 'and' && branch.branches.length === 1 ? negatedOnly(branch, prefix) : unknown;
  const { op } = branch.atom;
  if (op === 'exists') return [conjunct(branch.path, prefix, 'equal')];
  return op === 'eq' || op === 'in' ? [conjunct(branch.path, prefix, 'wide')] : unknown;
}

const negatedOnly = (
  { branches: [only] }: { readonly branches: readonly Condition<unknown>[] },
  prefix: string,
): Alternatives => (only === undefined ? unknown : negated(only, prefix));

function helped(path: FieldPath, atom: Atom<unknown>, prefix: string): Alternatives {
  if (atom.op === 'element-matches') return alternativesOf(atom.condition, `${prefix}${path.text}.`);
  const help = atom.op === 'element-passes' ? helpOfTest(atom.test) : helpOf(atom);
  return help === undefined ? unknown : [conjunct(path, prefix, help)];
}

/** An index knows fields by name, not by their place in an array. */
const conjunct = (path: FieldPath, prefix: string, help: Help): readonly Conjunct[] =>
  path.segments.some((segment) => /^\d+$/.test(segment)) ? [] : [{ path: prefix + path.text, help }];

function helpOf(atom: Exclude<Atom<unknown>, { readonly op: 'element-matches' | 'element-passes' }>): Help | undefined {
  switch (atom.op) {
    case 'eq':
    case 'in':
    case 'all':
      return 'equal';
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return 'range';
    case 'exists':
      return 'wide';
    case 'regex':
      return /^\^[A-Za-z0-9 _-]/.test(atom.pattern.pcre) ? 'range' : 'wide';
    // An index of places, which nobody is advised to add: without one the filter is refused.
    case 'geo':
    case 'size':
      return undefined;
  }
}

const order: readonly (Help | undefined)[] = ['equal', 'range', 'wide', undefined];

/** What helps most of all that one element has to pass. */
function helpOfTest(test: ElementTest<unknown>): Help | undefined {
  switch (test.kind) {
    case 'all': {
      const helps = test.tests.map(helpOfTest);
      return order.find((help) => helps.includes(help));
    }
    case 'not':
      return undefined;
    case 'atom':
      return test.atom.op === 'element-matches' || test.atom.op === 'element-passes' ? undefined : helpOf(test.atom);
  }
}
