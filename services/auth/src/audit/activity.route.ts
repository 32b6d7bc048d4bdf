import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { noStore } from '../sessions/session-tokens.ts';
import { activityRepresentation, representActivity } from './audit-answer.ts';
import type { ReadAudit } from './read-audit.ts';

/** The parameters of every list of entries. */
export const paging = {
  cursor: z.string().max(2_048).optional().meta({ description: '`nextCursor` of the page before.' }),
  limit: z.coerce.number().int().min(1).max(200).default(50),
};

/** `GET /v1/auth/activity` */
export const activityRoute = ({ readAudit }: { readonly readAudit: Pick<ReadAudit, 'page'> }): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/auth/activity',
    operationId: 'listActivity',
    tag: 'auth',
    summary: "What happened to the caller's account",
    description: 'The newest first: sign-ins, and what was changed. An act is in it within moments, not at once.',
    access: 'signed-in',
    query: z.object(paging),
    faults: [faults.notFound],
    responses: {
      200: {
        description: 'A page of what happened.',
        schema: z.object({
          items: z.array(activityRepresentation),
          nextCursor: z.string().nullable(),
        }),
      },
    },
    async handle({ query, token }) {
      const { entries, nextCursor } = await readAudit.page({ account: token.sub }, { ...query, reader: token.sub });
      return {
        status: 200,
        headers: noStore,
        body: { items: entries.map(representActivity), nextCursor },
      };
    },
  });
