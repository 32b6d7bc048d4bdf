import type { Atom, Condition, ElementTest, Operand } from './condition.ts';
import type { FieldPath } from './field-path.ts';
import { fieldsKey, parseFieldPath } from './field-path.ts';
import type { Relation } from './geo/geometry.ts';
import { areaOperators, parseArea } from './geo/area.ts';
import type { Parsed } from './located-fault.ts';
import { pointerTo } from './located-fault.ts';
import { parseOperand } from './operand.ts';
import type { Operators } from './parse-atom.ts';
import { isNegative, parseAtom } from './parse-atom.ts';
import type { Place } from './parse-state.ts';
import { conditionLimits, isSearch, ParseState } from './parse-state.ts';
import { isObject } from './plain-value.ts';
import type { AllowedReferences } from './reference.ts';
import { isReference } from './reference.ts';

const logicalOperators: ReadonlyMap<string, 'and' | 'or' | 'nor'> = new Map([
  ['$and', 'and'],
  ['$or', 'or'],
  ['$nor', 'nor'],
]);

/** Operators that ask something of an array or a text, which a time is not. */
const operatorsNotForTimes: ReadonlySet<string> = new Set(['$all', '$elemMatch', '$size', '$regex', '$options']);

/** What a condition may hold, and where it stands. */
type ConditionOptions = Partial<AllowedReferences> & { readonly pointer?: string; readonly geo?: boolean };

/** What an area takes of {@link conditionLimits}: to lay it out costs as much as many fields. */
const areaNodes = 100;

/**
 * Parses a filter, or one alternative of a rule, into the condition tree.
 *
 * Taken are exactly the operators that are told apart here and in `parse-atom.ts`; any other is refused by name.
 *
 * @param json - As `JSON.parse` gave it.
 * @param options - which places may stand for values, none where nothing is said; `geo`: whether `$geoWithin` and `$geoIntersects`
 *   are taken, by who makes sure that an index of the definition has the values checked; `pointer`: where the condition stands
 * @returns The tree, or all faults that were found.
 */
export function parseCondition(
  json: unknown,
  { pointer = '', geo = false, ...allowed }: ConditionOptions,
): Parsed<Condition<Operand>> {
  const state = new ParseState(allowed, { geo });
  const condition = parseFields(state, json, { pointer, depth: 0, root: 'record' });
  return state.faults.length > 0 ? { ok: false, faults: state.faults } : { ok: true, value: condition };
}

/** What is asked of an element of an array: of its fields, or of itself as of a field `element` that holds it. */
export interface AskedOfElement {
  readonly of: 'fields' | 'element';
  readonly condition: Condition<Operand>;
}

/**
 * Parses what MongoDB's `$pull` asks of elements: operators ask it of an element as of a field, fields ask it of one that is
 * an object.
 *
 * @param json - As `JSON.parse` gave it: an object with members.
 * @param pointer - Where it stands, for the faults.
 */
export function parseElementCondition(json: object, pointer: string): Parsed<AskedOfElement> {
  const state = new ParseState({});
  const place: Place = { pointer, depth: 0, root: 'element' };
  const isOfElement = isOperatorObject(json) && !logicalOperators.has(Object.keys(json)[0] ?? '');
  const value: AskedOfElement = isOfElement
    ? { of: 'element', condition: { kind: 'and', branches: parseOperators(state, element, json, place) } }
    : { of: 'fields', condition: parseFields(state, json, place) };
  return state.faults.length > 0 ? { ok: false, faults: state.faults } : { ok: true, value };
}

const element: FieldPath = { text: 'element', storage: 'element', segments: ['element'], holds: 'json' };

const everything: Condition<Operand> = { kind: 'and', branches: [] };

/** A condition over fields: a whole one, a branch, or what `$elemMatch` asks of an element's fields. */
function parseFields(state: ParseState, json: unknown, place: Place): Condition<Operand> {
  if (!isObject(json)) {
    state.fault(place.pointer, 'invalid-condition', 'Give an object of fields and what they must be.');
    return everything;
  }
  const branches = Object.entries(json).flatMap(([name, operand]) => {
    const at = { ...place, pointer: pointerTo(place.pointer, name) };
    if (!state.count(at)) return [];
    return name.startsWith('$') ? parseLogical(state, name, operand, at) : parseField(state, name, operand, at);
  });
  const [only, ...more] = branches;
  return only !== undefined && more.length === 0 ? only : { kind: 'and', branches };
}

function parseLogical(state: ParseState, name: string, operand: unknown, place: Place): Condition<Operand>[] {
  const kind = logicalOperators.get(name);
  if (kind === undefined) {
    if (isSearch(name)) state.misplacedOperator(name, place.pointer);
    else state.unknownOperator(name, place.pointer, '$and, $or and $nor');
    return [];
  }
  const isList = Array.isArray(operand) && operand.length > 0 && operand.length <= conditionLimits.branches;
  if (!isList) {
    const message = `Give ${name} an array of 1 to ${conditionLimits.branches} conditions.`;
    state.fault(place.pointer, 'invalid-operand', message);
    return [];
  }
  if (!state.mayNest(place)) return [];
  const branches = operand.map((branch: unknown, index) =>
    parseFields(state, branch, { ...place, pointer: pointerTo(place.pointer, index), depth: place.depth + 1 }),
  );
  return [{ kind, branches }];
}

function parseField(state: ParseState, name: string, operand: unknown, place: Place): Condition<Operand>[] {
  const parsed = parseFieldPath(name, place.root, place.pointer);
  if (!parsed.ok) {
    state.faults.push(...parsed.faults);
    return [];
  }
  const path = parsed.value;
  if (isOperatorObject(operand)) return parseOperators(state, path, operand, place);
  const at = { pointer: place.pointer, holds: path.holds, allowed: state.allowed };
  return state.take(parseOperand(operand, at), (value) => ({
    kind: 'field',
    path,
    atom: { op: 'eq', operand: value },
  }));
}

function parseOperators(state: ParseState, path: FieldPath, operators: Operators, place: Place): Condition<Operand>[] {
  return Object.entries(operators).flatMap(([name, operand]): Condition<Operand>[] => {
    const at = { ...place, pointer: pointerTo(place.pointer, name) };
    if (!state.count(at)) return [];
    if (path.holds === 'time' && operatorsNotForTimes.has(name)) {
      const message = `Compare \`${path.text}\`, a time, with $eq, $gt, $in and the like.`;
      state.fault(at.pointer, 'invalid-operator', message);
      return [];
    }
    if (name === '$not') {
      if (!isNegatable(state, operand, at)) return [];
      const branches = parseOperators(state, path, operand, { ...at, depth: at.depth + 1 });
      return [{ kind: 'not', branch: { kind: 'and', branches } }];
    }
    if (name === '$follow') return parseFollow(state, path, operand, at);
    if (name === '$all' && Array.isArray(operand) && operand.some(isElemMatch)) {
      return parseAllElements(state, path, operand, at);
    }
    const relation = state.geo && place.root === 'record' ? areaOperators.get(name) : undefined;
    if (relation !== undefined) return parseGeo(state, path, relation, operand, at);
    const atoms =
      name === '$elemMatch' ? parseElemMatch(state, operand, at) : parseAtom(state, name, operators, path, at);
    return atoms.map((atom): Condition<Operand> => {
      const field: Condition<Operand> = { kind: 'field', path, atom };
      return isNegative(name, operand) ? { kind: 'not', branch: field } : field;
    });
  });
}

/** What is asked of the record that a reference names: one step, and by the caller alone, so that it changes with that record and by nothing else. */
function parseFollow(
  state: ParseState,
  path: FieldPath,
  json: unknown,
  { pointer, root }: Place,
): Condition<Operand>[] {
  if (!state.allowed.follow || root !== 'record') {
    const message =
      'Follow one reference of the record itself, in a rule of the collection: not in filters, rules of fields, $elemMatch or another $follow.';
    state.fault(pointer, 'invalid-follow', message);
    return [];
  }
  return state.take(parseCondition(json, { auth: state.allowed.auth, pointer }), (condition) => ({
    kind: 'field',
    path,
    atom: { op: 'in', operands: [{ kind: 'follow', path, condition, pointer }] },
  }));
}

/** Where a value lies. */
function parseGeo(
  state: ParseState,
  path: FieldPath,
  relation: Relation,
  operand: unknown,
  at: Place,
): Condition<Operand>[] {
  if (path.segments[0] !== fieldsKey) {
    state.fault(at.pointer, 'invalid-operator', `\`${path.text}\` is kept by the service, and holds no place.`);
    return [];
  }
  if (path.segments.some((segment) => /^\d+$/.test(segment))) {
    const message =
      'Ask of the whole array: an index has its places checked by the names of fields, and not by their numbers.';
    state.fault(at.pointer, 'invalid-operator', message);
    return [];
  }
  if (!state.count(at, areaNodes)) return [];
  return state.take(parseArea(operand, relation, at.pointer, state.places), (area) => ({
    kind: 'field',
    path,
    atom: { op: 'geo', relation, area },
  }));
}

/** `$all` of `$elemMatch`: an element for each. */
function parseAllElements(
  state: ParseState,
  path: FieldPath,
  operand: readonly unknown[],
  place: Place,
): Condition<Operand>[] {
  if (!operand.every(isElemMatch) || operand.length > conditionLimits.branches) {
    const message = `Give $all either values, or up to ${conditionLimits.branches} of {"$elemMatch": …} alone.`;
    state.fault(place.pointer, 'invalid-operand', message);
    return [];
  }
  const branches = operand.flatMap((each, index) =>
    parseOperators(state, path, each, { ...place, pointer: pointerTo(place.pointer, index) }),
  );
  return [{ kind: 'and', branches }];
}

function parseElemMatch(state: ParseState, operand: unknown, place: Place): Atom<Operand>[] {
  if (!state.mayNest(place)) return [];
  const inner = { ...place, depth: place.depth + 1, root: 'element' as const };
  if (isOperatorObject(operand) && !Object.keys(operand).some((name) => logicalOperators.has(name))) {
    return [{ op: 'element-passes', test: parseElementTest(state, operand, inner) }];
  }
  if (isObject(operand) && Object.keys(operand).length > 0) {
    return [{ op: 'element-matches', condition: parseFields(state, operand, inner) }];
  }
  state.fault(place.pointer, 'invalid-operand', 'Give $elemMatch an object of operators or of fields.');
  return [];
}

/** Operators over one element by itself. */
function parseElementTest(state: ParseState, operators: Operators, place: Place): ElementTest<Operand> {
  const tests = Object.entries(operators).flatMap(([name, operand]): ElementTest<Operand>[] => {
    const at = { ...place, pointer: pointerTo(place.pointer, name) };
    if (!state.count(at)) return [];
    if (name === '$not') {
      if (!isNegatable(state, operand, at)) return [];
      return [{ kind: 'not', test: parseElementTest(state, operand, { ...at, depth: at.depth + 1 }) }];
    }
    if (name === '$all') {
      state.fault(at.pointer, 'invalid-operator', 'Use $all on the array itself, not on its elements in $elemMatch.');
      return [];
    }
    const atoms =
      name === '$elemMatch'
        ? parseElemMatch(state, operand, at)
        : parseAtom(state, name, operators, { holds: 'json' }, at);
    return atoms.map((atom): ElementTest<Operand> => {
      const test: ElementTest<Operand> = { kind: 'atom', atom };
      return isNegative(name, operand) ? { kind: 'not', test } : test;
    });
  });
  return { kind: 'all', tests };
}

function isNegatable(state: ParseState, operand: unknown, place: Place): operand is Operators {
  if (!state.mayNest(place)) return false;
  if (isOperatorObject(operand)) return true;
  state.fault(place.pointer, 'invalid-operand', 'Give $not an object of operators, such as {"$gt": 5}.');
  return false;
}

/** Whether an object is made of operators: MongoDB, too, goes by the first name. A place to be filled is none. */
function isOperatorObject(value: unknown): value is Operators {
  return isObject(value) && Object.keys(value)[0]?.startsWith('$') === true && !isReference(value);
}

function isElemMatch(value: unknown): value is { readonly $elemMatch: unknown } {
  return isObject(value) && Object.hasOwn(value, '$elemMatch') && Object.keys(value).length === 1;
}
