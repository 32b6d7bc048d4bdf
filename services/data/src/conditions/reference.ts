import type { AuthName, Operand } from './condition.ts';
import { parseOffset } from './duration-offset.ts';
import type { FieldPath } from './field-path.ts';
import { parseFieldPath } from './field-path.ts';
import type { LocatedFault, Parsed } from './located-fault.ts';
import { isObject } from './plain-value.ts';

/** What each `$auth` name stands for: one text, or a list of them. */
const authKinds: ReadonlyMap<string, { name: AuthName; kind: 'text' | 'list' }> = new Map([
  ['sub', { name: 'sub', kind: 'text' }],
  ['roles', { name: 'roles', kind: 'list' }],
  ['org', { name: 'org', kind: 'text' }],
  ['scope', { name: 'scope', kind: 'list' }],
  ['client_id', { name: 'client_id', kind: 'text' }],
  ['sid', { name: 'sid', kind: 'text' }],
]);

/** Whether a name stands for something of the caller's. */
export const isAuthName = (name: unknown): name is AuthName => typeof name === 'string' && authKinds.has(name);

/** Which places, filled when the condition is asked, may stand for values. */
export interface AllowedReferences {
  /** `{"$auth": …}`, in rules. */
  readonly auth: boolean;
  /** `{"$now": …}`, in rules and filters. */
  readonly now: boolean;
  /** `{"$before": …}`, in what a changed record has to meet. */
  readonly before: boolean;
  /** `{"$follow": …}` of a reference, in the rules of a collection. */
  readonly follow: boolean;
}

/** Where an operand stands and what it may be there. */
export interface OperandPlace {
  readonly pointer: string;
  readonly holds: FieldPath['holds'];
  readonly allowed: AllowedReferences;
}

/** What a place is used for: one value, a list, or an item of one. */
type ReferenceUse = 'one' | 'list' | 'item';

const names = ['$auth', '$now', '$before'] as const;

/** A value that stands for another: `{"$auth": …}`, `{"$now": …}` or `{"$before": …}`. */
export type Reference = Readonly<Partial<Record<(typeof names)[number], unknown>>>;

/** Whether a value has the form of a place that is filled when the condition is asked. */
export const isReference = (value: unknown): value is Reference =>
  isObject(value) && names.some((name) => Object.hasOwn(value, name));

/** Reads a place that is filled when the condition is asked. */
export function parseReference(json: Reference, place: OperandPlace, use: ReferenceUse): Parsed<Operand> {
  if (Object.hasOwn(json, '$auth')) return parseAuth(json, place, use === 'list' ? 'list' : 'text');
  if (use === 'one') return Object.hasOwn(json, '$now') ? parseNow(json, place) : parseBefore(json, place);
  const [name = ''] = Object.keys(json);
  return refused(place, 'invalid-operand', `Compare with \`${name}\` by itself, not in a list: several go into $or.`);
}

function parseAuth(json: Reference, place: OperandPlace, kind: 'text' | 'list'): Parsed<Operand> {
  if (!place.allowed.auth) return refused(place, 'unknown-operator', 'Use `$auth` in rules only.');
  const known = typeof json.$auth === 'string' ? authKinds.get(json.$auth) : undefined;
  if (known === undefined || Object.keys(json).length > 1) {
    return refused(place, 'invalid-operand', `Use {"$auth": …} with one of ${[...authKinds.keys()].join(', ')}.`);
  }
  if (known.kind !== kind) {
    const advice = kind === 'text' ? 'is a list: use it as the operand of $in' : 'is one value: put it into an array';
    return refused(place, 'invalid-operand', `\`${known.name}\` ${advice}.`);
  }
  return { ok: true, value: { kind: 'auth', name: known.name } };
}

function parseNow(json: Reference, place: OperandPlace): Parsed<Operand> {
  if (!place.allowed.now) return refused(place, 'unknown-operator', 'Use `$now` in rules and filters only.');
  const { $now: given } = json;
  const offsetMs = given === true ? 0 : typeof given === 'string' ? parseOffset(given) : undefined;
  if (offsetMs === undefined || Object.keys(json).length > 1) {
    const advice = 'for a time before or after, such as "-24h": whole s, m, h or d, up to ten years';
    return refused(place, 'invalid-operand', `Use {"$now": true}, or {"$now": …} ${advice}.`);
  }
  return { ok: true, value: { kind: 'now', offsetMs, holds: place.holds } };
}

function parseBefore(json: Reference, place: OperandPlace): Parsed<Operand> {
  if (!place.allowed.before) {
    return refused(place, 'unknown-operator', 'Use `$before` only in `after` of the rule for updates.');
  }
  const { $before: given } = json;
  if (typeof given !== 'string' || Object.keys(json).length > 1) {
    return refused(place, 'invalid-operand', 'Use {"$before": …} with the path of a field.');
  }
  const path = parseFieldPath(given, 'record', place.pointer);
  if (!path.ok) return path;
  if (place.holds === 'time' && path.value.holds !== 'time') {
    return refused(place, 'invalid-operand', `Compare this time with a time: \`${given}\` is none.`);
  }
  return { ok: true, value: { kind: 'before', path: path.value, holds: place.holds } };
}

/** What is answered where an operand cannot be taken. */
export function refused(place: OperandPlace, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer: place.pointer, code, message }] };
}
