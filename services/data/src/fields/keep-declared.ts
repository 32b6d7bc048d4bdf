import { isContainer } from '../conditions/values-at.ts';
import type { DeclaredField } from './declared-field.ts';
import { valueAt } from './value-at.ts';

/**
 * Leaves what a record has at fields with a default, and at those that are kept from their author, where nothing was sent for
 * them: whoever stores the same record twice cannot know what the first time has filled in.
 *
 * @param declared - what the definition says of fields
 * @param sent - the whole record anew; not changed, and what is no object is given back as it is
 * @param current - the record's fields
 */
export function keepDeclared(declared: readonly DeclaredField[], sent: unknown, current: unknown): unknown {
  const kept = declared.filter(
    ({ default: given, readOnly, writeOnce }) => given !== undefined || readOnly === true || writeOnce === true,
  );
  if (kept.length === 0 || !isContainer(sent)) return sent;
  const fields = structuredClone(sent) as Record<string, unknown>;
  for (const { segments } of kept) {
    const value = valueAt(current, segments);
    if (value !== undefined) fillAt(fields, segments, value);
  }
  return fields;
}

/** Sets a value where nothing stands, objects around it included; what stands in the way stays. */
function fillAt(fields: Record<string, unknown>, segments: readonly string[], value: unknown): void {
  const [name = '', ...rest] = segments;
  if (rest.length === 0) {
    if (!Object.hasOwn(fields, name)) fields[name] = value;
    return;
  }
  if (!Object.hasOwn(fields, name)) fields[name] = {};
  const inner = fields[name];
  if (isContainer(inner) && !Array.isArray(inner)) fillAt(inner, rest, value);
}
