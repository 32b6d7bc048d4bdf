import { faultOfAuthentication } from '@causeway/service';
import type { AccessClaims, RecentAuthentication } from '@causeway/service';

import type { AccountQueries } from '../accounts/account.model.ts';

/** What {@link createDemandRecent} is given. */
export interface DemandRecentDependencies {
  readonly accountQueries: Pick<AccountQueries, 'byId'>;
  readonly rule: RecentAuthentication;
}

/**
 * Asks for a recent authentication where a route does only for some of what it is called for.
 *
 * @throws fault `insufficient-authentication`
 */
export type DemandRecent = (token: Pick<AccessClaims, 'sub' | 'acr' | 'authTime'>) => Promise<void>;

/** @returns the check. As of a route's `recent`, by the real time: a token says when it was. */
export const createDemandRecent =
  ({ accountQueries, rule }: DemandRecentDependencies): DemandRecent =>
  async (token) => {
    const hasSecondFactor = (await accountQueries.byId(token.sub))?.hasSecondFactor === true;
    const fault = faultOfAuthentication(token, rule, { nowMs: Date.now(), hasSecondFactor });
    if (fault !== undefined) throw fault;
  };
