import { faults } from '@causeway/contracts';
import type { Fault } from '@causeway/contracts';

import type { Preferences } from './profile.model.ts';

/** Bounds of what clients keep for a person. */
export const preferencesLimits = { sizeBytes: 16_384, depth: 8, nameLength: 100 } as const;

const refused = (pointer: string, code: string, message: string): Fault =>
  faults.invalidRequest({ errors: [{ pointer, code, message }] });

/** RFC 6901 §3. */
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** `$` and `.` mean something in MongoDB; control characters mean nothing to anybody. */
const isName = (name: string): boolean =>
  name !== '' && name.length <= preferencesLimits.nameLength && !/^\$|\.|\p{Cc}/u.test(name) && name !== '__proto__';

function faultIn(value: unknown, pointer: string, depth: number): Fault | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > preferencesLimits.depth) {
    return refused(pointer, 'too-deep', `Must not be nested deeper than ${preferencesLimits.depth} levels.`);
  }
  for (const [name, each] of Object.entries(value)) {
    const at = `${pointer}/${escaped(name)}`;
    if (!Array.isArray(value) && !isName(name)) {
      return refused(at, 'invalid-name', 'Names have 1 to 100 characters, do not begin with $ and hold no full stop.');
    }
    const fault = faultIn(each, at, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * What is wrong with preferences.
 *
 * @param preferences - as they would be stored
 * @returns undefined where nothing is
 */
export function preferencesFault(preferences: Preferences): Fault | undefined {
  const deep = faultIn(preferences, '/preferences', 1);
  if (deep !== undefined) return deep;
  return Buffer.byteLength(JSON.stringify(preferences)) > preferencesLimits.sizeBytes
    ? refused('/preferences', 'too-large', `Must not be larger than ${preferencesLimits.sizeBytes} bytes of JSON.`)
    : undefined;
}
