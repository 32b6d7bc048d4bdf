import { faults } from '@causeway/contracts';

import { pointerTo } from '../conditions/located-fault.ts';
import type { IdOf } from './operation.ts';

/** Names of creates, as `as` gives them and `{"$id": …}` uses them. */
export const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** `{"$id": "a"}`: the name, where a value is of that form. */
export function namedBy(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const [entry, ...others] = Object.entries(value);
  return entry?.[0] === '$id' && others.length === 0 && typeof entry[1] === 'string' ? entry[1] : undefined;
}

/**
 * Puts the ids of what was created before in the places that name it.
 *
 * @param value - JSON, bounded in depth by the HTTP layer
 * @param idOf - throws where no create before has that name
 * @returns the value itself where nothing in it is named
 */
export function withIds(value: unknown, idOf: IdOf): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const name = namedBy(value);
  if (name !== undefined) return idOf(name);
  if (Array.isArray(value)) {
    const items = value.map((each) => withIds(each, idOf));
    return items.some((each, index) => each !== value[index]) ? items : value;
  }
  const entries = Object.entries(value).map(([key, each]) => [key, each, withIds(each, idOf)] as const);
  return entries.some(([, before, after]) => before !== after)
    ? Object.fromEntries(entries.map(([key, , after]) => [key, after]))
    : value;
}

/** The fault of a name that no create before has. */
export const unknownName = (name: string): Error =>
  faults.invalidRequest({
    errors: [
      {
        pointer: pointerTo('', '$id'),
        code: 'unknown-name',
        message: `No create before this operation has \`as\`: "${name.slice(0, 64)}".`,
      },
    ],
  });
