import type { Atom, Condition, ElementTest, FollowOperand, Operand } from '../../conditions/condition.ts';
import type { Rule } from '../rule.ts';
import type { Side } from './sides.ts';

type Segments = readonly string[];

/** Where records name people, as rules look at them. */
export interface PeoplePaths {
  /** In a record, from the stored document on. */
  readonly own: readonly Segments[];
  /** In a record that it refers to, by what follows the reference. */
  readonly followed: ReadonlyMap<FollowOperand, readonly Segments[]>;
}

/** Paths by their text, so that each is there once. */
type Found = Map<string, Segments>;

/** Who has written a record is there whatever its rules look at. */
const writers: readonly Segments[] = [['createdBy'], ['updatedBy']];

/** The places in records that the rules of definitions compare with a caller's `sub`, and those that say who has written them. */
export function peoplePathsOf(sides: readonly Pick<Side, 'rules' | 'fields'>[]): PeoplePaths {
  const own: Found = new Map(writers.map((each) => [each.join('.'), each]));
  const followed = new Map<FollowOperand, Found>();
  const visit = createVisit(followed);
  for (const { rules, fields } of sides) {
    const { read, create, update, delete: remove } = rules;
    const all = [read, create, update.before, update.after, remove, ...fields.flatMap(rulesOfField)];
    for (const rule of all)
      if (rule.kind === 'alternatives') for (const each of rule.alternatives) visit(each, [], own);
  }
  return {
    own: [...own.values()],
    followed: new Map([...followed].map(([operand, found]) => [operand, [...found.values()]])),
  };
}

const rulesOfField = ({ read, write }: Side['fields'][number]): readonly Rule[] =>
  [read, write].filter((each) => each !== undefined);

const isSub = (operand: Operand): boolean => operand.kind === 'auth' && operand.name === 'sub';

function createVisit(followed: Map<FollowOperand, Found>) {
  const visit = (condition: Condition<Operand>, outer: Segments, found: Found): void => {
    if (condition.kind === 'not') visit(condition.branch, outer, found);
    else if (condition.kind === 'field') visitAtom(condition.atom, [...outer, ...condition.path.segments], found);
    else for (const branch of condition.branches) visit(branch, outer, found);
  };
  const add = (found: Found, segments: Segments): void => void found.set(segments.join('.'), segments);
  const visitAtom = (atom: Atom<Operand>, segments: Segments, found: Found): void => {
    switch (atom.op) {
      case 'eq':
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        if (isSub(atom.operand)) add(found, segments);
        return;
      case 'in':
      case 'all':
        if (atom.operands.some(isSub)) add(found, segments);
        for (const operand of atom.operands) {
          if (operand.kind !== 'follow') continue;
          const there: Found = followed.get(operand) ?? new Map<string, Segments>();
          followed.set(operand, there);
          visit(operand.condition, [], there);
        }
        return;
      case 'element-passes':
        visitTest(atom.test, segments, found);
        return;
      case 'element-matches':
        visit(atom.condition, segments, found);
        return;
      case 'exists':
      case 'size':
      case 'regex':
      case 'geo':
    }
  };
  const visitTest = (test: ElementTest<Operand>, segments: Segments, found: Found): void => {
    if (test.kind === 'all') for (const each of test.tests) visitTest(each, segments, found);
    else if (test.kind === 'not') visitTest(test.test, segments, found);
    else visitAtom(test.atom, segments, found);
  };
  return visit;
}
