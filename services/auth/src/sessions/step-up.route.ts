import { crossSite, defineRoute, insufficientAuthentication } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { invalidCode, passkeyInvalid } from '../factors/factors.errors.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { typedPassword } from '../passwords/password.ts';
import { linkToken } from '../proofs/link-answers.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import { cookieHeader } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import { secondProofOf, secondProofs } from './second-proof-body.ts';
import { noStore, tokensAnswer } from './session-tokens.ts';
import { invalidCredentials } from './sessions.errors.ts';
import { eventHeader } from './signed-in-answer.ts';
import type { createStepUp, StepUpProof } from './step-up.ts';

/** What {@link stepUpRoute} is given. */
export interface StepUpRouteDependencies {
  readonly stepUp: ReturnType<typeof createStepUp>;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf'>;
}

const body = z.union([
  z.strictObject({ password: typedPassword.meta({ description: 'Where there is one, and no second factor.' }) }),
  z.strictObject({
    link: linkToken.meta({
      description:
        'Where there is no second factor: the last part of a link that was mailed to sign in by (`POST /v1/auth/sign-in/link`). It is used up.',
    }),
  }),
  ...([z.strictObject(secondProofs[0]), z.strictObject(secondProofs[1]), z.strictObject(secondProofs[2])] as const),
]);

const proofOf = (given: z.output<typeof body>): StepUpProof => {
  if ('password' in given) return { kind: 'password', password: given.password };
  return 'link' in given ? { kind: 'link', token: given.link } : secondProofOf(given);
};

/** `POST /v1/auth/step-up` */
export const stepUpRoute = ({ stepUp, cookies }: StepUpRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/step-up',
    operationId: 'stepUp',
    tag: 'auth',
    summary: 'Prove once more that it is you',
    description: [
      'What to do where a call answers `insufficient-authentication`: the session goes on with new tokens, whose `auth_time` is now, and',
      'whose `acr` is `aal2` after a second factor. `POST /v1/auth/step-up/options` says what the account has. Keep them in place of the old ones. A browser that was given cookies gets new cookies.',
    ].join(' '),
    access: 'signed-in',
    body,
    bodyLimitBytes: 32_768,
    responses: {
      200: { description: 'New tokens.', schema: tokensAnswer, headers: eventHeader },
      204: { description: 'New tokens, in cookies.', headers: { ...eventHeader, ...cookieHeader } },
    },
    faults: [
      ...[invalidCredentials, invalidCode, passkeyInvalid, linkInvalid],
      ...[insufficientAuthentication, tooManyAttempts, crossSite],
    ],
    async handle(call) {
      const { cause, token, clientIp: ip, signal } = call;
      const { sub: accountId, sid: sessionId, acr } = token;
      const command = { accountId, sessionId, acr, proof: proofOf(call.body), ip, signal };
      const { tokens, events } = await stepUp(cause, command);
      const headers = { ...noStore, 'Causeway-Event': events.join(', ') };
      if (call.headers.authorization !== undefined) return { status: 200, headers, body: tokens };
      return { status: 204, headers: { ...headers, 'Set-Cookie': cookies.cookiesOf(tokens) } };
    },
  });
