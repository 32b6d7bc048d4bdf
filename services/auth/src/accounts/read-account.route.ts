import { faults } from '@causeway/contracts';
import { defineRoute, etag } from '@causeway/service';
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
    responses: {
      200: {
        description: 'The account.',
        schema: accountRepresentation,
        headers: { ETag: { description: 'The revision.' } },
      },
    },
    async handle({ token }) {
      const account = await accounts.byId(token.sub);
      // The token outlives the account by its five minutes at most.
      if (account === undefined) throw faults.unauthenticated({ message: 'the account of this token is gone' });
      return {
        status: 200,
        body: representAccount(account),
        headers: { ETag: etag(account.revision), 'Cache-Control': 'private, no-cache' },
      };
    },
  });
