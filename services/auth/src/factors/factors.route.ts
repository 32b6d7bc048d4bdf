import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import { personName } from '../accounts/person-name.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import { callerOf } from './caller.ts';
import { factorAnswer, recoveryCodesAnswer, representFactor } from './factor-answer.ts';
import { lastFactor } from './factors.errors.ts';
import type { FactorQueries } from './factor.model.ts';
import type { createReplaceRecoveryCodes } from './keep-recovery-codes.ts';
import type { createRemoveFactor, createRenameFactor } from './remove-factor.ts';

const params = z.object({ id: z.string().max(64) });

const named = (events: readonly string[]): string | undefined =>
  events.length === 0 || events.length > 10 ? undefined : events.join(', ');

/** `GET /v1/auth/factors` */
export const listFactorsRoute = (given: { readonly factorQueries: Pick<FactorQueries, 'activeOf'> }): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/auth/factors',
    operationId: 'listFactors',
    tag: 'auth',
    summary: 'What the caller proves who they are with, beside a password',
    access: 'signed-in',
    responses: {
      200: { description: 'The factors, the oldest first.', schema: z.object({ items: z.array(factorAnswer) }) },
    },
    async handle({ token }) {
      const items = (await given.factorQueries.activeOf(token.sub)).map(representFactor);
      return { status: 200, headers: noStore, body: { items } };
    },
  });

/** `PATCH /v1/auth/factors/{id}` */
export const renameFactorRoute = (given: {
  readonly renameFactor: ReturnType<typeof createRenameFactor>;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'patch',
    path: '/v1/auth/factors/{id}',
    operationId: 'renameFactor',
    tag: 'auth',
    summary: 'Name a factor',
    access: 'signed-in',
    recent: given.recent,
    params,
    body: z.strictObject({ name: personName }),
    bodyLimitBytes: 16_384,
    responses: { 200: { description: 'The factor.', schema: factorAnswer, headers: eventHeader } },
    faults: [faults.notFound],
    async handle({ cause, token, params: { id: factorId }, body: { name } }) {
      const command = { accountId: token.sub, factorId, name };
      const { factor, events } = await given.renameFactor(cause, command);
      return { status: 200, headers: { ...noStore, 'Causeway-Event': named(events) }, body: representFactor(factor) };
    },
  });

/** `DELETE /v1/auth/factors/{id}` */
export const removeFactorRoute = (given: {
  readonly removeFactor: ReturnType<typeof createRemoveFactor>;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/auth/factors/{id}',
    operationId: 'removeFactor',
    tag: 'auth',
    summary: 'Remove a factor',
    description:
      'All other sessions end; the one that asks goes on, and refreshes its tokens. With the last second factor its recovery codes go.',
    access: 'signed-in',
    recent: given.recent,
    params,
    responses: { 204: { description: 'It opens nothing any more.', headers: eventHeader } },
    faults: [faults.notFound, lastFactor],
    async handle({ cause, token, params: { id: factorId } }) {
      const events = await given.removeFactor(cause, { ...callerOf(token), factorId });
      return { status: 204, headers: { 'Causeway-Event': named(events) } };
    },
  });

/** `POST /v1/auth/factors/recovery-codes` */
export const replaceRecoveryCodesRoute = (given: {
  readonly replaceRecoveryCodes: ReturnType<typeof createReplaceRecoveryCodes>;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/factors/recovery-codes',
    operationId: 'replaceRecoveryCodes',
    tag: 'auth',
    summary: 'Make new recovery codes in place of those that there are',
    access: 'signed-in',
    recent: given.recent,
    responses: {
      200: { description: 'The new codes, told this once.', schema: recoveryCodesAnswer, headers: eventHeader },
    },
    faults: [faults.conflict],
    async handle({ cause, token }) {
      const { codes, event } = await given.replaceRecoveryCodes(cause, callerOf(token));
      return { status: 200, headers: { ...noStore, 'Causeway-Event': event }, body: { codes: [...codes] } };
    },
  });
