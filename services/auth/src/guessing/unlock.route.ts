import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { linkToken } from '../proofs/link-answers.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import type { Unlock } from './unlock.ts';

/** `POST /v1/auth/unlock` */
export const unlockRoute = ({ unlock }: { readonly unlock: Unlock }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/unlock',
    operationId: 'unlock',
    tag: 'auth',
    summary: 'Sign in from new devices again, by the link that was mailed when somebody had guessed too often',
    access: 'anonymous',
    body: z.strictObject({ token: linkToken }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'What was guessed counts no more. Nobody is signed in.',
        schema: z.object({ status: z.literal('unlocked') }),
        headers: eventHeader,
      },
    },
    faults: [linkInvalid],
    async handle({ cause, body: { token } }) {
      const events = await unlock(cause, token);
      const headers = { ...noStore, 'Causeway-Event': events.join(', ') };
      return { status: 200, headers, body: { status: 'unlocked' } };
    },
  });
