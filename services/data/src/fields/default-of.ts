import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { checkPlainValue, isObject } from '../conditions/plain-value.ts';
import { isAuthName } from '../conditions/reference.ts';
import type { Caller } from '../rules/rule.ts';
import type { DeclaredField, FieldDefault } from './declared-field.ts';

const bounds = { depth: 16, nodes: 5_000 };

/** Parses the `default` of a field: a value, `{"$auth": name}` or `{"$now": true}`. */
export function parseDefault(json: unknown, pointer: string): Parsed<Pick<DeclaredField, 'default'>> {
  const given = isObject(json) && Object.keys(json).length === 1 ? json : {};
  if (Object.hasOwn(given, '$now')) {
    if (given.$now === true) return { ok: true, value: { default: { kind: 'now' } } };
    return refused(pointer, 'Use {"$now": true}.');
  }
  if (Object.hasOwn(given, '$auth')) {
    const { $auth: name } = given;
    if (isAuthName(name)) return { ok: true, value: { default: { kind: 'auth', name } } };
    return refused(pointer, 'Use {"$auth": …} with a name that rules know, such as "sub" or "org".');
  }
  const faults = checkPlainValue(json, pointer, bounds);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { default: { kind: 'value', value: json } } };
}

function refused(pointer: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code: 'invalid-option', message }] };
}

/**
 * The value of a default; undefined where the caller has none.
 *
 * @param caller - who creates the record
 * @param at - when
 */
export function valueOf(given: FieldDefault, caller: Pick<Caller, 'auth'>, at: Date): unknown {
  switch (given.kind) {
    case 'value':
      return structuredClone(given.value);
    case 'auth':
      return structuredClone(caller.auth[given.name]);
    case 'now':
      return at.toISOString();
  }
}
