import { faults } from '@causeway/contracts';

import type { Caller } from '../rules/rule.ts';
import type { AskedQuery } from './asked-query.ts';

/**
 * By whose rights a query is run: the caller's, or those of whom an administrator names to have a query explained.
 *
 * @throws Fault `forbidden` where somebody else asks for what is an administrator's: what a query examines tells of records that
 *   one may not see; `invalid-request`
 */
export function askingCaller(
  caller: Caller,
  { explain, scan, as, locate }: Pick<AskedQuery, 'explain' | 'scan' | 'as' | 'locate'>,
): Caller {
  if ((explain || scan || as !== undefined) && !caller.administrator) throw faults.forbidden();
  if (as === undefined) return caller;
  if (!explain) {
    const message = 'Send explain: true with it: records are shown by the rights of whoever asks.';
    throw faults.invalidRequest({ errors: [{ ...locate('as'), code: 'not-explained', message }] });
  }
  const { sub, org, roles = [] } = as;
  return {
    signedIn: sub !== undefined,
    administrator: roles.includes('admin'),
    auth: {
      ...(sub === undefined ? {} : { sub, roles }),
      ...(org === undefined ? {} : { org }),
    },
  };
}
