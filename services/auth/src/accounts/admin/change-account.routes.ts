import { faults } from '@causeway/contracts';
import { defineRoute, etag } from '@causeway/service';
import type { Answer, RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import { eventHeader } from '../../sessions/signed-in-answer.ts';
import { lastAdministrator } from '../accounts.errors.ts';
import { disabling, enabling, givingRoles } from './account-decisions.ts';
import type { AdministerAccount, Administered } from './administer-account.ts';
import { administeredRepresentation, representAdministered } from './administered-account.ts';
import { accountParams, forAdministrators } from './read-accounts.routes.ts';

/** More is a letter, not a reason. */
const longestReason = 500;

/** What these calls have in common. */
const change = {
  tag: 'auth',
  access: 'admin',
  params: accountParams,
  requestHeaders: { 'If-Match': { description: 'Only if the account has this revision.' } },
  responses: {
    200: {
      description: 'The account, as it is now.',
      schema: administeredRepresentation,
      headers: { ETag: { description: 'The revision.' }, ...eventHeader },
    },
  },
} as const;

const answer = ({ account, eventId }: Administered): Answer<200> => ({
  status: 200,
  headers: { ...forAdministrators, ETag: etag(account.revision), 'Causeway-Event': eventId },
  body: representAdministered(account),
});

interface Given {
  readonly administer: AdministerAccount;
  /** Of whoever changes an account of somebody else. */
  readonly recent: RecentAuthentication;
}

/** `POST /v1/auth/accounts/{id}/disable` */
export const disableAccountRoute = ({ administer, recent }: Given): Route =>
  defineRoute({
    ...change,
    recent,
    method: 'post',
    path: '/v1/auth/accounts/{id}/disable',
    operationId: 'disableAccount',
    summary: 'Disable an account',
    description:
      'Nobody can sign in to it, and its sessions and tokens are over at once. Its owner is told by mail, without the reason.',
    body: z.strictObject({
      reason: z.string().trim().min(1).max(longestReason).optional().meta({ description: 'For the record.' }),
    }),
    bodyLimitBytes: 16_384,
    faults: [faults.notFound, faults.preconditionFailed, lastAdministrator],
    async handle({ cause, token, params, body, ifMatch }) {
      const decide = disabling(token.sub, body.reason);
      return answer(await administer(cause, { accountId: params.id, ifMatch, decide }));
    },
  });

/** `POST /v1/auth/accounts/{id}/enable` */
export const enableAccountRoute = ({ administer, recent }: Given): Route =>
  defineRoute({
    ...change,
    recent,
    method: 'post',
    path: '/v1/auth/accounts/{id}/enable',
    operationId: 'enableAccount',
    summary: 'Enable an account that was disabled',
    description: 'Its owner can sign in again, and is told by mail; sessions that had ended stay so.',
    faults: [faults.notFound, faults.preconditionFailed],
    handle: async ({ cause, token, params, ifMatch }) =>
      answer(await administer(cause, { accountId: params.id, ifMatch, decide: enabling(token.sub) })),
  });

const roles = z
  .array(z.enum(['admin', 'member']))
  .max(16)
  .refine((each) => each.includes('member'), 'Name `member` too: everybody is one.')
  // In one order, each once.
  .transform((each) => (['admin', 'member'] as const).filter((role) => each.includes(role)));

/** `PUT /v1/auth/accounts/{id}/roles` */
export const putRolesRoute = ({ administer, recent }: Given): Route =>
  defineRoute({
    ...change,
    recent,
    method: 'put',
    path: '/v1/auth/accounts/{id}/roles',
    operationId: 'putRoles',
    summary: 'Say what an account may do',
    description: 'Tokens with a role that is taken away are refused at once; a role that is given is in the next one.',
    body: z.strictObject({ roles }),
    bodyLimitBytes: 16_384,
    faults: [faults.notFound, faults.preconditionFailed, lastAdministrator],
    async handle({ cause, token, params, body, ifMatch }) {
      const decide = givingRoles(token.sub, body.roles);
      return answer(await administer(cause, { accountId: params.id, ifMatch, decide }));
    },
  });
