import { isDeepStrictEqual } from 'node:util';

import { pointerTo } from '../conditions/located-fault.ts';
import { applyOperators } from '../operators/apply-operators.ts';
import { operatorFailed } from '../operators/operators.errors.ts';
import { findAt, setAt } from '../operators/set-at-path.ts';
import type { Fields } from '../records/record.model.ts';
import { convertValue } from './convert-value.ts';
import type { MigrationChange, MigrationOperators } from './migration-operators.ts';

/** Ends a change that does not fit what is there. */
const fail = (segments: readonly string[], code: string, message: string): never => {
  throw operatorFailed({ errors: [{ pointer: segments.reduce<string>(pointerTo, ''), code, message }] });
};

/**
 * Applies what a step does to the fields of a record: first what only migrations do, in the order in which it was parsed, then the operators of
 * a patch.
 *
 * @param fields - not changed
 * @returns the new fields; undefined where they are the same
 * @throws Fault `operator-failed` naming the field that it does not fit
 */
export function applyMigration(fields: Fields, { changes, operators }: MigrationOperators): Fields | undefined {
  const result = structuredClone(fields) as Record<string, unknown>;
  for (const change of changes) apply(result, change);
  const after = operators.length === 0 ? result : applyOperators(result, operators);
  return isDeepStrictEqual(after, fields) ? undefined : after;
}

function apply(fields: Record<string, unknown>, change: MigrationChange): void {
  switch (change.name) {
    case '$rename':
    case '$copy':
      move(fields, change);
      return;
    case '$convert': {
      const found = findAt(fields, change.at);
      if (found.kind !== 'there') return;
      const value = convertValue(found.value, change.to);
      if (value === undefined) fail(change.at, 'cannot-convert', `This is nothing that could be a ${change.to}.`);
      put(fields, change.at, value);
      return;
    }
    case '$default': {
      const found = findAt(fields, change.at);
      if (found.kind === 'blocked') fail(change.at, found.code, found.reason);
      if (found.kind === 'missing') put(fields, change.at, structuredClone(change.value));
    }
  }
}

/** Nothing is written over: what stood there could not be brought back. */
function move(fields: Record<string, unknown>, change: MigrationChange & { readonly name: '$rename' | '$copy' }): void {
  const { name, from, to } = change;
  const found = findAt(fields, from);
  if (found.kind !== 'there') return;
  const { holder, key, value } = found;
  if (Array.isArray(holder)) {
    fail(from, 'does-not-fit', 'This is a place in a list: lists are changed by the operators of a patch.');
    return;
  }
  const target = findAt(fields, to);
  if (target.kind === 'blocked') fail(to, target.code, target.reason);
  if (target.kind === 'there') fail(to, 'already-there', 'There is a value already, which would be lost.');
  if (name === '$rename') Reflect.deleteProperty(holder, key);
  put(fields, to, name === '$copy' ? structuredClone(value) : value);
}

const put = (fields: Record<string, unknown>, segments: readonly string[], value: unknown): void =>
  setAt(fields, segments, value);
