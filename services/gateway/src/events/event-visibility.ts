import type { EventEnvelope } from '@causeway/contracts';
import type { AccessClaims } from '@causeway/service';

import type { Effects } from './effects-tree.ts';

/** @returns whether somebody sees everything */
export const isAdministrator = (token: AccessClaims): boolean => token.roles.includes('admin');

/**
 * Whether somebody may see an event: administrators, and the person who caused it. For anybody else it does not exist.
 *
 * @param event - as it was recorded
 * @param token - who asks
 */
export const maySee = (event: EventEnvelope, token: AccessClaims): boolean =>
  isAdministrator(token) || (event.authtype === 'app_user' && event.authid === token.sub);

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without what stands at a path with objects only on the way. */
function without(fields: unknown, [name, ...rest]: readonly string[]): unknown {
  if (!isObject(fields) || name === undefined || !Object.hasOwn(fields, name)) return fields;
  const { [name]: inner, ...others } = fields;
  return rest.length === 0 ? others : { ...fields, [name]: without(inner, rest) };
}

/** Members of an event's data that hold the fields of a record. */
const fieldMembers = ['fields', 'before'] as const;

/**
 * An event as somebody sees it: to others than administrators without the fields that were `guarded` by rules of their own when it was
 * recorded, for the rules of then and now are the data service's, and whoever may write a record may not see all of it.
 *
 * @param event - that they may see
 * @param token - who asks
 */
export function showEvent(event: EventEnvelope, token: AccessClaims): EventEnvelope {
  if (isAdministrator(token) || !isObject(event.data)) return event;
  const { guarded, ...data } = event.data;
  if (!Array.isArray(guarded)) return event;
  const paths = guarded.filter((path): path is string => typeof path === 'string').map((path) => path.split('.'));
  const shown = fieldMembers.flatMap((member) =>
    Object.hasOwn(data, member) ? [[member, paths.reduce(without, data[member])] as const] : [],
  );
  return { ...event, data: { ...data, ...Object.fromEntries(shown) } };
}

/** The same for a tree of effects. */
export const showEffects = (effects: Effects, token: AccessClaims): Effects => ({
  ...effects,
  event: showEvent(effects.event, token),
  caused: effects.caused.map((each) => showEffects(each, token)),
});
