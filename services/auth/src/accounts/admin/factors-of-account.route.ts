import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { RecentAuthentication, Route } from '@causeway/service';

import { eventHeader } from '../../sessions/signed-in-answer.ts';
import { accountParams } from './read-accounts.routes.ts';
import type { RemoveFactors } from './remove-factors.ts';

/** More are not named in a header. */
const mostNamed = 10;

/** `DELETE /v1/auth/accounts/{id}/factors` */
export const removeFactorsOfRoute = (given: {
  readonly removeFactors: RemoveFactors;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/auth/accounts/{id}/factors',
    operationId: 'removeFactorsOf',
    tag: 'auth',
    summary: "Remove all of somebody's second factors",
    description:
      'For whoever has lost them and has shown who they are by other means. Recovery codes go too, all sessions end, and signing in takes one proof: the password, or a mailed link. Its owner is told by mail. Not for the own account.',
    access: 'admin',
    recent: given.recent,
    params: accountParams,
    responses: { 204: { description: 'There is no second factor any more.', headers: eventHeader } },
    faults: [faults.notFound, faults.conflict],
    async handle({ cause, token, params: { id: accountId } }) {
      const events = await given.removeFactors(cause, { accountId, by: token.sub });
      return {
        status: 204,
        headers: { 'Causeway-Event': events.length === 0 ? undefined : events.slice(0, mostNamed).join(', ') },
      };
    },
  });
