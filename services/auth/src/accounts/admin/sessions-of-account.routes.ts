import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import type { EndSession } from '../../sessions/end-session.ts';
import { representSession, sessionRepresentation } from '../../sessions/list-sessions.route.ts';
import { whyOver } from '../../sessions/session-admission.ts';
import type { SessionQueries } from '../../sessions/session.model.ts';
import { eventHeader } from '../../sessions/signed-in-answer.ts';
import { endingSessions } from './account-decisions.ts';
import type { AdministerAccount } from './administer-account.ts';
import type { AdministeredAccounts } from './administered-accounts.ts';
import { accountParams, afterHeader, forAdministrators } from './read-accounts.routes.ts';

const path = '/v1/auth/accounts/{id}/sessions';

/** `GET /v1/auth/accounts/{id}/sessions` */
export const listSessionsOfRoute = (given: {
  readonly accounts: Pick<AdministeredAccounts, 'byId'>;
  readonly sessionQueries: Pick<SessionQueries, 'listLive'>;
  readonly now: () => Date;
}): Route =>
  defineRoute({
    method: 'get',
    path,
    operationId: 'listSessionsOf',
    tag: 'auth',
    summary: "Somebody's sessions",
    description: 'The last used first; at most 200.',
    access: 'admin',
    params: accountParams,
    requestHeaders: afterHeader,
    responses: {
      200: { description: 'Sessions that are not over.', schema: z.object({ items: z.array(sessionRepresentation) }) },
    },
    faults: [faults.notFound],
    async handle({ params, headers, token }) {
      const after = parseAfter(headers['causeway-after']);
      const account = await given.accounts.byId(params.id, after);
      if (account === undefined) throw faults.notFound();
      const live = await given.sessionQueries.listLive(account._id, given.now(), after);
      // Rows are ended after the write of the account that has ended them.
      const items = live.filter((each) => whyOver(account, each) === undefined);
      const body = { items: items.map((each) => representSession(each, token.sid)) };
      return { status: 200, headers: forAdministrators, body };
    },
  });

/** `DELETE /v1/auth/accounts/{id}/sessions` */
export const endSessionsOfRoute = (given: {
  readonly administer: AdministerAccount;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'delete',
    path,
    operationId: 'endSessionsOf',
    tag: 'auth',
    summary: "End all of somebody's sessions",
    description: 'One write of the account ends them all, and their tokens; each is told of after it.',
    access: 'admin',
    recent: given.recent,
    params: accountParams,
    responses: { 204: { description: 'All have ended.', headers: eventHeader } },
    faults: [faults.notFound],
    async handle({ cause, token, params }) {
      const command = { accountId: params.id, ifMatch: undefined, decide: endingSessions(token.sub) };
      const { eventId } = await given.administer(cause, command);
      return { status: 204, headers: { 'Causeway-Event': eventId } };
    },
  });

/** `DELETE /v1/auth/accounts/{id}/sessions/{sessionId}` */
export const endSessionOfRoute = (given: {
  readonly endSession: EndSession;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'delete',
    path: `${path}/{sessionId}`,
    operationId: 'endSessionOf',
    tag: 'auth',
    summary: "End one of somebody's sessions",
    access: 'admin',
    recent: given.recent,
    params: accountParams.extend({ sessionId: z.string().max(64) }),
    responses: { 204: { description: 'The session has ended.', headers: eventHeader } },
    faults: [faults.notFound],
    async handle({ cause, params: { id: accountId, sessionId } }) {
      const event = await given.endSession(cause, { sessionId, accountId, reason: 'administrator' });
      if (event === undefined) throw faults.notFound();
      return { status: 204, headers: { 'Causeway-Event': event } };
    },
  });
