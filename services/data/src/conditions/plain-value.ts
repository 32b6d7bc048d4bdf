import type { LocatedFault } from './located-fault.ts';
import { pointerTo } from './located-fault.ts';

/** Bounds of a JSON value that a client gives to be stored or compared with. */
export interface ValueBounds {
  /** Levels of objects and arrays. */
  readonly depth: number;
  /** Values in all, the containers themselves included. */
  readonly nodes: number;
}

/** Longest name of a field, in characters: a path has no more (`parseFieldPath`). */
const maxNameLength = 256;

/** Names that mean something to a JavaScript object before they mean anything to its author. */
const dangerousNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a value is a JSON object, and not an array or null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a name reaches an object's prototype, so that no path may contain it and no schema declare it. */
export function isDangerousName(name: string): boolean {
  return dangerousNames.has(name);
}

/**
 * Checks that a parsed JSON value survives its way through BSON and back unchanged, and is bounded.
 *
 * Refused are integers beyond ±2^53 (a double has rounded them already) and numbers that overflowed to infinity; strings
 * with half of a surrogate pair (UTF-8 has no form for them); names that begin with `$` or hold a `.` (no path reaches
 * them) or a NUL (a BSON name ends there); `__proto__`; and `_bsontype`, by which the driver tells its own types.
 *
 * @param value - As `JSON.parse` gave it.
 * @param pointer - Where it stands, for the faults.
 * @returns All faults; none when the value is fine. When a bound is exceeded, what lies beyond it is not looked at.
 */
export function checkPlainValue(value: unknown, pointer: string, bounds: ValueBounds): LocatedFault[] {
  const faults: LocatedFault[] = [];
  let nodes = 0;
  const visit = (each: unknown, at: string, depth: number): void => {
    nodes += 1;
    if (nodes > bounds.nodes) {
      if (nodes === bounds.nodes + 1) {
        faults.push({ pointer, code: 'too-many-values', message: `Send at most ${bounds.nodes} values.` });
      }
      return;
    }
    if (typeof each !== 'object' || each === null) {
      const fault = checkScalar(each, at);
      if (fault !== undefined) faults.push(fault);
      return;
    }
    if (depth >= bounds.depth) {
      faults.push({ pointer: at, code: 'too-deep', message: `Nest at most ${bounds.depth} levels.` });
      return;
    }
    if (Array.isArray(each)) {
      each.forEach((element, index) => visit(element, pointerTo(at, index), depth + 1));
      return;
    }
    for (const [name, member] of Object.entries(each)) {
      const fault = checkName(name, pointerTo(at, name));
      if (fault === undefined) visit(member, pointerTo(at, name), depth + 1);
      else faults.push(fault);
    }
  };
  visit(value, pointer, 0);
  return faults;
}

function checkScalar(value: unknown, pointer: string): LocatedFault | undefined {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return undefined;
    return { pointer, code: 'malformed-string', message: 'Send text without halves of surrogate pairs.' };
  }
  if (typeof value !== 'number') return undefined;
  if (!Number.isFinite(value)) {
    return { pointer, code: 'number-out-of-range', message: 'Send a number that a double can hold.' };
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return {
      pointer,
      code: 'integer-out-of-range',
      message: 'Send integers between -(2^53 - 1) and 2^53 - 1, larger ones as strings: numbers are doubles.',
    };
  }
  return undefined;
}

function checkName(name: string, pointer: string): LocatedFault | undefined {
  const fault = (reason: string): LocatedFault => ({ pointer, code: 'invalid-name', message: reason });
  if (name === '__proto__' || name === '_bsontype') return fault(`Rename the field: \`${name}\` is not allowed.`);
  if (name.length > maxNameLength) return fault(`Rename the field: use at most ${maxNameLength} characters.`);
  if (name.startsWith('$')) return fault('Rename the field: names do not begin with `$`.');
  if (name.includes('.')) return fault('Rename the field: names hold no `.`, which separates the parts of a path.');
  if (name.includes('\0') || !name.isWellFormed()) return fault('Rename the field: its name is not valid text.');
  return undefined;
}
