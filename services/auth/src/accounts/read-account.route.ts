import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute, etag, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';

import { accountRepresentation, representAccount } from './account-answer.ts';
import type { AccountQueries } from './account.model.ts';

/** `GET /v1/auth/account` */
export const readAccountRoute = ({ accounts }: { readonly accounts: AccountQueries }): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/auth/account',
    operationId: 'readAccount',
    tag: 'auth',
    summary: "The caller's account",
    access: 'signed-in',
    requestHeaders: {
      'If-None-Match': { description: 'Answers 304 where it names the current revision.' },
      'Causeway-After': { description: 'The highest `Causeway-Position` seen: nothing older is answered.' },
    },
    responses: {
      200: {
        description: 'The account.',
        schema: accountRepresentation,
        headers: { ETag: { description: 'The revision.' } },
      },
      304: { description: '`If-None-Match` names the current revision.' },
    },
    async handle({ token, headers }) {
      const account = await accounts.byId(token.sub, parseAfter(headers['causeway-after']));
      // The token outlives the account by its five minutes at most.
      if (account === undefined) throw faults.unauthenticated({ message: 'the account of this token is gone' });
      const current = etag(account.revision);
      const common = { ETag: current, 'Cache-Control': 'private, no-cache' };
      if (isNotModified(headers['if-none-match'], current)) return { status: 304, headers: common };
      return { status: 200, headers: common, body: representAccount(account) };
    },
  });
