import { fieldsKey, parseFieldPath } from '../conditions/field-path.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { checkPlainValue, isObject } from '../conditions/plain-value.ts';
import { operandBounds, parseElements } from './element-condition.ts';
import type { Operator, OperatorChange } from './operator.ts';
import { parsePush, parseSetMembers } from './parse-push.ts';

/** The media type of a patch that is made of operators. */
export const operatorsType = 'application/vnd.causeway.operators+json';

const maxPaths = 100;

type ChangeParser = (json: unknown, pointer: string) => Parsed<OperatorChange>;

const parsers: ReadonlyMap<string, ChangeParser> = new Map<string, ChangeParser>([
  ['$set', (json, pointer) => parseValue('$set', json, pointer)],
  ['$unset', parseUnset],
  ['$inc', parseIncrement],
  ['$min', (json, pointer) => parseValue('$min', json, pointer)],
  ['$max', (json, pointer) => parseValue('$max', json, pointer)],
  ['$push', parsePush],
  ['$addToSet', parseSetMembers],
  ['$pull', parsePull],
]);

const known = [...parsers.keys()].join(', ');

/**
 * Parses a patch that is made of operators, in MongoDB's update form: `{"$inc": {"score": 1}, "$push": {"tags": "new"}}`.
 *
 * @param json - As `JSON.parse` gave it.
 * @returns The operators in the order of their paths, so that the order of a JSON object's members means nothing; or all
 *   faults that were found.
 */
export function parseOperators(json: unknown): Parsed<readonly Operator[]> {
  if (!isObject(json) || Object.keys(json).length === 0) {
    return refused('', 'invalid-patch', `Give an object of operators: ${known}.`);
  }
  const faults: LocatedFault[] = [];
  const operators: Operator[] = [];
  for (const [name, paths] of Object.entries(json)) {
    const parsed = parseOperator(name, paths);
    if (parsed.ok) operators.push(...parsed.value);
    else faults.push(...parsed.faults);
  }
  if (operators.length > maxPaths) return refused('', 'too-large', `Change at most ${maxPaths} paths.`);
  operators.sort((a, b) => comparePaths(a.segments, b.segments));
  faults.push(...findConflicts(operators));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: operators };
}

function parseOperator(name: string, paths: unknown): Parsed<readonly Operator[]> {
  const pointer = pointerTo('', name);
  const parse = parsers.get(name);
  if (parse === undefined) {
    const advice = name.startsWith('$') ? '' : '; put fields into $set';
    return refused(pointer, 'unknown-operator', `\`${name}\` is not an operator here: use ${known}${advice}.`);
  }
  if (!isObject(paths) || Object.keys(paths).length === 0) {
    return refused(pointer, 'invalid-operand', `Give ${name} an object of paths and values, such as {"score": 1}.`);
  }
  const parsed = Object.entries(paths).map(([path, operand]) =>
    parseAt(path, operand, pointerTo(pointer, path), parse),
  );
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: parsed.flatMap((each) => (each.ok ? [each.value] : [])) };
}

function parseAt(text: string, operand: unknown, pointer: string, parse: ChangeParser): Parsed<Operator> {
  const path = parseFieldPath(text, 'record', pointer);
  if (!path.ok) return path;
  const [root, ...segments] = path.value.segments;
  if (root !== fieldsKey) {
    return refused(pointer, 'invalid-path', `Leave \`${text}\` out: the service keeps it itself.`);
  }
  const change = parse(operand, pointer);
  return change.ok ? { ok: true, value: { segments, pointer, ...change.value } } : change;
}

function parseValue(name: '$set' | '$min' | '$max', json: unknown, pointer: string): Parsed<OperatorChange> {
  const faults = checkPlainValue(json, pointer, operandBounds);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { name, value: json } };
}

function parseUnset(json: unknown, pointer: string): Parsed<OperatorChange> {
  if (json === true || json === '' || json === 1) return { ok: true, value: { name: '$unset' } };
  return refused(pointer, 'invalid-operand', 'Give $unset true.');
}

function parseIncrement(json: unknown, pointer: string): Parsed<OperatorChange> {
  if (typeof json !== 'number') return refused(pointer, 'invalid-operand', 'Give $inc a number.');
  const faults = checkPlainValue(json, pointer, operandBounds);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { name: '$inc', by: json } };
}

function parsePull(json: unknown, pointer: string): Parsed<OperatorChange> {
  const elements = parseElements(json, pointer);
  return elements.ok ? { ok: true, value: { name: '$pull', elements: elements.value } } : elements;
}

/** Part by part: places in arrays by their number, before names. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    if (left === right) continue;
    const [isPlace, isOtherPlace] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (isPlace !== isOtherPlace) return isPlace ? -1 : 1;
    return (isPlace && Number(left) - Number(right)) || (left < right ? -1 : 1);
  }
  return a.length - b.length;
}

/** Of two operators at one place, or at one within the other, nobody could say what they make. */
function findConflicts(sorted: readonly Operator[]): LocatedFault[] {
  return sorted.flatMap(({ segments, pointer }, index): LocatedFault[] => {
    // Whatever lies within a path follows it at once.
    const previous = sorted[index - 1]?.segments;
    if (previous?.every((segment, at) => segments[at] === segment) !== true) return [];
    const message = 'Change each path by one operator, and no path within another.';
    return [{ pointer, code: 'conflicting-paths', message }];
  });
}

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
