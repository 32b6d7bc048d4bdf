import { valueAt } from '../fields/value-at.ts';
import type { Atom, AuthName, Condition, ElementTest, FollowOperand, Operand, Value } from './condition.ts';
import { nothing } from './condition.ts';
import type { FieldPath } from './field-path.ts';

/** What is known of a caller, by the names that rules use; a name that is absent makes an alternative false. */
export type AuthValues = Readonly<Partial<Record<AuthName, string | readonly string[]>>>;

/** For each reference that is followed the records that it leads to. */
export type FollowedIds = ReadonlyMap<FollowOperand, readonly string[]>;

/** What fills the places of a condition. */
export interface Bindings {
  /** The caller; none for a filter, which has no such places. */
  readonly auth?: AuthValues | undefined;
  /** What `$now` means. */
  readonly at?: Date | undefined;
  /** The stored document before a change; none where nothing is changed. */
  readonly before?: object | undefined;
  /** Where references lead; whoever asks a condition that follows some has looked before. */
  readonly followed?: FollowedIds | undefined;
}

/** Fills a place; throws `Unbound` where nothing is known of it. */
type Fill<O> = (operand: Operand) => readonly O[];

class Unbound extends Error {}

/**
 * Fills the places of a condition.
 *
 * @param condition - A filter, or one alternative of a rule.
 * @returns The condition without places, or `nothing` when a value that it names is absent, whatever its operator.
 */
export function bindCondition(
  condition: Condition<Operand>,
  { auth = {}, at, before, followed }: Bindings,
): Condition<Value> {
  return orNothing(condition, (operand) => {
    switch (operand.kind) {
      case 'value':
        return [operand.value];
      case 'auth':
        return valuesOf(auth, operand.name);
      case 'now':
        return [timeAt(known(at).getTime() + operand.offsetMs, operand.holds)];
      case 'before':
        return [earlierValue(known(before), operand.path, operand.holds)];
      case 'follow':
        demandKnown(operand, auth);
        return idsOf(operand, followed);
    }
  });
}

/**
 * Fills in a caller's values alone, where one condition is asked at many times.
 *
 * @param followed - where references lead; undefined leaves these places too
 * @returns The condition with its other places, or `nothing` when a caller's value that it names is absent.
 */
export function bindCaller(
  condition: Condition<Operand>,
  auth: AuthValues,
  followed?: FollowedIds,
): Condition<Operand> {
  const filled = (values: readonly string[]): readonly Operand[] => values.map((value) => ({ kind: 'value', value }));
  return orNothing(condition, (operand) => {
    if (operand.kind === 'auth') return filled(valuesOf(auth, operand.name));
    if (operand.kind !== 'follow') return [operand];
    demandKnown(operand, auth);
    return followed === undefined ? [operand] : filled(idsOf(operand, followed));
  });
}

/** Something of the caller's that a condition names and nobody knows: it makes the condition false. */
export function missingOf(condition: Condition<Operand>, auth: AuthValues): AuthName | undefined {
  let missing: AuthName | undefined;
  bind(condition, (operand) => {
    if (operand.kind === 'auth' && !Object.hasOwn(auth, operand.name)) missing ??= operand.name;
    if (operand.kind === 'follow') missing ??= missingOf(operand.condition, auth);
    return [operand];
  });
  return missing;
}

/** Whether a condition asks for the time, so that it may be met at one time and not at another. */
export function usesNow(condition: Condition<Operand>): boolean {
  let isUsed = false;
  bind(condition, (operand) => {
    isUsed ||= operand.kind === 'now';
    return [operand];
  });
  return isUsed;
}

/** What of the caller a condition asks for, also of the records that it follows. */
export function authNamesIn(condition: Condition<Operand>): ReadonlySet<AuthName> {
  const found = new Set<AuthName>();
  bind(condition, (operand) => {
    if (operand.kind === 'auth') found.add(operand.name);
    if (operand.kind === 'follow') for (const name of authNamesIn(operand.condition)) found.add(name);
    return [operand];
  });
  return found;
}

/** The references that a condition follows. */
export function followedIn(condition: Condition<Operand>): readonly FollowOperand[] {
  const found: FollowOperand[] = [];
  bind(condition, (operand) => {
    if (operand.kind === 'follow') found.push(operand);
    return [operand];
  });
  return found;
}

/** The paths, in the record or in what it was, that a condition compares with. */
export function operandPathsIn(condition: Condition<Operand>): readonly FieldPath[] {
  const found: FieldPath[] = [];
  bind(condition, (operand) => {
    if (operand.kind === 'before' || operand.kind === 'follow') found.push(operand.path);
    return [operand];
  });
  return found;
}

/** What asks a followed record for something that is not known is false as a whole, as everywhere. */
function demandKnown({ condition }: FollowOperand, auth: AuthValues): void {
  if (missingOf(condition, auth) !== undefined) throw new Unbound();
}

function idsOf(operand: FollowOperand, followed: FollowedIds | undefined): readonly string[] {
  const ids = followed?.get(operand);
  // No answer would be right: it is for whoever asks to have looked.
  if (ids === undefined) throw new Error('a rule follows a reference that nobody has looked at');
  return ids;
}

function orNothing<O>(condition: Condition<Operand>, fill: Fill<O>): Condition<O> {
  try {
    return bind(condition, fill);
  } catch (error) {
    if (error instanceof Unbound) return nothing;
    throw error;
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Unbound();
  return value;
}

function valuesOf(auth: AuthValues, name: AuthName): readonly string[] {
  const value = known(Object.hasOwn(auth, name) ? auth[name] : undefined);
  return typeof value === 'string' ? [value] : value;
}

/** A time as what it is compared with holds it: users' fields hold the text that RFC 3339 has for it in UTC. */
const timeAt = (ms: number, holds: FieldPath['holds']): Value =>
  holds === 'time' ? new Date(ms) : new Date(ms).toISOString();

/** What stood at a path, with objects only on the way; null for what was missing, as everywhere in a condition. */
function earlierValue(document: object, { segments }: FieldPath, holds: FieldPath['holds']): Value {
  const value = valueAt(document, segments) ?? null;
  return value instanceof Date ? timeAt(value.getTime(), holds) : (value as Value);
}

function bind<O>(condition: Condition<Operand>, fill: Fill<O>): Condition<O> {
  switch (condition.kind) {
    case 'and':
    case 'or':
    case 'nor':
      return { kind: condition.kind, branches: condition.branches.map((branch) => bind(branch, fill)) };
    case 'not':
      return { kind: 'not', branch: bind(condition.branch, fill) };
    case 'field':
      return bindField(condition.path, condition.atom, fill);
  }
}

function bindField<O>(path: FieldPath, atom: Atom<Operand>, fill: Fill<O>): Condition<O> {
  const field: Condition<O> = { kind: 'field', path, atom: bindAtom(atom, fill) };
  if (atom.op !== 'eq' || atom.operand.kind !== 'before') return field;
  // What is equal to what it was is itself so: who owned a record alone does not own it with others.
  const test: ElementTest<O> = { kind: 'atom', atom: bindAtom(atom, fill) };
  const isElement: Condition<O> = { kind: 'field', path, atom: { op: 'element-passes', test } };
  return { kind: 'and', branches: [field, { kind: 'not', branch: isElement }] };
}

function bindAtom<O>(atom: Atom<Operand>, fill: Fill<O>): Atom<O> {
  switch (atom.op) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const [operand] = fill(atom.operand);
      // Only a list fills a place with none or several, and stands for no single value.
      if (operand === undefined) throw new Unbound();
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
    case 'geo':
      return atom;
  }
}

function bindTest<O>(test: ElementTest<Operand>, fill: Fill<O>): ElementTest<O> {
  switch (test.kind) {
    case 'all':
      return { kind: 'all', tests: test.tests.map((each) => bindTest(each, fill)) };
    case 'not':
      return { kind: 'not', test: bindTest(test.test, fill) };
    case 'atom':
      return { kind: 'atom', atom: bindAtom(test.atom, fill) };
  }
}
