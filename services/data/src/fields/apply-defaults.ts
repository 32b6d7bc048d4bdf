import { isContainer } from '../conditions/values-at.ts';
import type { Caller } from '../rules/rule.ts';
import type { DeclaredField } from './declared-field.ts';
import { valueOf } from './default-of.ts';
import { valueAt } from './value-at.ts';

/**
 * Fills in the defaults of a record that is to be created: where a member is missing, and the object around it is there. A
 * default may make that object itself.
 *
 * @param declared - what the definition says of fields
 * @param sent - not changed; what is no object is given back as it is
 * @param caller - who creates the record
 * @param at - when
 */
export function applyDefaults(
  declared: readonly DeclaredField[],
  sent: unknown,
  caller: Pick<Caller, 'auth'>,
  at: Date,
): unknown {
  const waiting = declared.filter(({ default: given }) => given !== undefined);
  if (waiting.length === 0 || !isContainer(sent)) return sent;
  const fields = structuredClone(sent) as Record<string, unknown>;
  for (const { segments, default: given } of waiting.toSorted((a, b) => a.segments.length - b.segments.length)) {
    const around = valueAt(fields, segments.slice(0, -1));
    const name = segments.at(-1);
    if (given === undefined || name === undefined || !isContainer(around) || Object.hasOwn(around, name)) continue;
    const value = valueOf(given, caller, at);
    if (value !== undefined) (around as Record<string, unknown>)[name] = value;
  }
  return fields;
}
