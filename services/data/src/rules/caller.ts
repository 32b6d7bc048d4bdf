import type { Principal } from '@causeway/contracts';
import type { AccessClaims } from '@causeway/service';

import type { Caller } from './rule.ts';

/** Somebody who has sent no token. */
export const anonymous: Caller = { signedIn: false, administrator: false, auth: {} };

const callers = new WeakMap<AccessClaims, Caller>();

/**
 * A caller as rules see one.
 *
 * @param token - verified; undefined for a caller without one
 */
export function callerOf(token: AccessClaims | undefined): Caller {
  if (token === undefined) return anonymous;
  // Claims are kept with the verified token: the same caller is made once.
  const known = callers.get(token);
  if (known !== undefined) return known;
  const { sub, sid, clientId, roles, scope, org } = token;
  const caller: Caller = {
    signedIn: true,
    administrator: roles.includes('admin'),
    auth: {
      sub,
      sid,
      client_id: clientId,
      roles,
      ...(scope === undefined ? {} : { scope: scope.split(' ').filter((each) => each !== '') }),
      ...(org === undefined ? {} : { org }),
    },
  };
  callers.set(token, caller);
  return caller;
}

/** Whose cursors and keys they are: nobody's are everybody's who has sent no token. */
export const principalKey = (principal: Principal | undefined): string =>
  principal?.id === undefined ? 'anonymous' : `${principal.type}:${principal.id}`;
