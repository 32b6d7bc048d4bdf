import { isContainer } from '../conditions/values-at.ts';
import type { Fields } from '../records/record.model.ts';
import { valueAt } from './value-at.ts';

/** A path below a record's fields, with objects only on the way. */
type Segments = readonly string[];

/**
 * A record's fields without some of them. The objects around them stay, and so does the order of what is left.
 *
 * @param fields - not changed
 */
export const redact = (fields: Fields, hidden: readonly Segments[]): Fields => hidden.reduce(without, fields);

function without(fields: Fields, [name, ...rest]: Segments): Fields {
  if (name === undefined || !Object.hasOwn(fields, name)) return fields;
  if (rest.length === 0) return Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name));
  const inner = fields[name];
  return isContainer(inner) ? { ...fields, [name]: without(inner, rest) } : fields;
}

/**
 * Puts back what somebody did not see who has changed a record: what they have given a value themselves is theirs.
 *
 * @param changed - made of the redacted fields; not changed
 * @param whole - the fields before the change
 */
export function restore(changed: unknown, whole: Fields, hidden: readonly Segments[]): unknown {
  return hidden.reduce((fields, segments) => {
    if (valueAt(fields, segments) !== undefined || valueAt(whole, segments) === undefined) return fields;
    return putBack(fields, whole, segments);
  }, changed);
}

/** Where the object around it is gone, it goes with it. */
function putBack(fields: unknown, whole: Fields, [name, ...rest]: Segments): unknown {
  if (name === undefined || !isContainer(fields)) return fields;
  const inner = whole[name];
  if (rest.length > 0) {
    if (!Object.hasOwn(fields, name) || !isContainer(inner)) return fields;
    return { ...fields, [name]: putBack(fields[name], inner, rest) };
  }
  const names = Object.keys(whole);
  const before = names.slice(0, names.indexOf(name)).findLast((other) => Object.hasOwn(fields, other));
  const entries = Object.entries(fields);
  const at = before === undefined ? 0 : entries.findIndex(([other]) => other === before) + 1;
  return Object.fromEntries(entries.toSpliced(at, 0, [name, inner]));
}
