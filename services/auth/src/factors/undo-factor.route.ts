import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { linkToken } from '../proofs/link-answers.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import { soleFactor } from './factors.errors.ts';
import type { UndoFactor } from './undo-factor.ts';

/** `POST /v1/auth/factors/undo` */
export const undoFactorRoute = ({ undoFactor }: { readonly undoFactor: UndoFactor }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/factors/undo',
    operationId: 'undoFactor',
    tag: 'auth',
    summary: 'Take a second factor back by the link that was mailed when it was added',
    description:
      'Somebody else may have added it: it is gone, and so is whatever was added since, all sessions end, the password is void, and a link to set another is mailed. What the account had before stays; where none of that is left, the link takes nothing away.',
    access: 'anonymous',
    body: z.strictObject({ token: linkToken }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'The account has the second factors that it had before.',
        schema: z.object({ status: z.literal('factor-undone') }),
        headers: eventHeader,
      },
    },
    faults: [linkInvalid, soleFactor],
    async handle({ cause, body: { token } }) {
      const events = await undoFactor(cause, { token });
      return {
        status: 200,
        headers: { ...noStore, 'Causeway-Event': events.slice(0, 10).join(', ') },
        body: { status: 'factor-undone' as const },
      };
    },
  });
