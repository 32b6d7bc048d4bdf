import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { ticketInvalid } from '../tickets/tickets.errors.ts';
import { proofOptions } from './ask-for-proof.ts';
import type { AskForProof } from './ask-for-proof.ts';
import type { OpenTicket } from './open-ticket.ts';
import { noStore } from './session-tokens.ts';

const responses = { 200: { description: 'What the proof may be.', schema: proofOptions } } as const;

/** `POST /v1/auth/sign-in/second-factor/options` */
export const secondFactorOptionsRoute = (given: {
  readonly openTicket: OpenTicket;
  readonly askForProof: AskForProof;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/second-factor/options',
    operationId: 'secondFactorOptions',
    tag: 'auth',
    summary: 'What the second factor of a sign-in may be',
    access: 'anonymous',
    body: z.strictObject({ mfaToken: z.string().max(256).meta({ description: 'What the first step has answered.' }) }),
    bodyLimitBytes: 16_384,
    responses,
    faults: [ticketInvalid],
    async handle({ body: { mfaToken } }) {
      const { ticket } = await given.openTicket(mfaToken);
      return { status: 200, headers: noStore, body: await given.askForProof(ticket.accountId) };
    },
  });

/** `POST /v1/auth/step-up/options` */
export const stepUpOptionsRoute = ({ askForProof }: { readonly askForProof: AskForProof }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/step-up/options',
    operationId: 'stepUpOptions',
    tag: 'auth',
    summary: 'What one may prove once more who one is with',
    access: 'signed-in',
    responses,
    handle: async ({ token }) => ({ status: 200, headers: noStore, body: await askForProof(token.sub) }),
  });
