import { faults } from '@causeway/contracts';
import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { DeviceTokens } from '../guessing/device-token.ts';
import { knownByLink } from '../guessing/guess.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { newPassword, typedPassword } from '../passwords/password.ts';
import { passwordCommon } from '../passwords/passwords.errors.ts';
import { linkToken } from '../proofs/link-answers.ts';
import { linkRequestRoute } from '../proofs/link-request.route.ts';
import type { LinkRequestRouteDependencies } from '../proofs/link-request.route.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import { cookieHeader, delivery } from '../sessions/cookie-delivery.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import {
  answerSignedIn,
  deviceOf,
  eventHeader,
  signedInAnswer,
  signedInByCookies,
} from '../sessions/signed-in-answer.ts';
import { personName } from './person-name.ts';
import type { CompleteSignUp } from './complete-sign-up.ts';
import type { VerifyEmail } from './verify-email.ts';

/** `POST /v1/auth/email/verification` */
export const sendVerificationRoute = (given: LinkRequestRouteDependencies): Route =>
  linkRequestRoute(given, {
    kind: 'verify-email',
    path: '/v1/auth/email/verification',
    operationId: 'sendVerification',
    summary: 'Have the link mailed once more that verifies an e-mail address',
    mailed: 'It is mailed, if there is something to verify.',
  });

/** What {@link verifyEmailRoute} is given. */
export interface VerifyEmailRouteDependencies {
  readonly useProof: Pick<UseProof, 'look'>;
  readonly verifyEmail: VerifyEmail;
  readonly completeSignUp: CompleteSignUp;
  readonly cookies: CookieDelivery;
  readonly deviceTokens: DeviceTokens;
}

const newPasswordUnexpected = {
  pointer: '/newPassword',
  code: 'unexpected',
  message: 'There is an account already: send its password, or reset that by `POST /v1/auth/password/reset`.',
};

const nameUnexpected = {
  pointer: '/name',
  code: 'unexpected',
  message: 'There is an account already: its name is in the profile.',
};

/** `POST /v1/auth/email/verify` */
export const verifyEmailRoute = (given: VerifyEmailRouteDependencies): Route => {
  const { useProof, verifyEmail, completeSignUp, cookies, deviceTokens } = given;
  return defineRoute({
    method: 'post',
    path: '/v1/auth/email/verify',
    operationId: 'verifyEmail',
    tag: 'auth',
    summary: 'Verify an e-mail address by the link that was mailed to it',
    description:
      "Made in a session of the account, or with the account's password: the link alone does not say who made the account. The link of a sign-up that waits for it makes the account and signs in: with the password that was chosen, where one was, or with another in its place (`newPassword`), never with both.",
    access: 'public',
    body: z.strictObject({
      token: linkToken,
      password: typedPassword.optional().meta({ description: 'Of the account; or the one that the sign-up chose.' }),
      newPassword: newPassword.optional().meta({
        description:
          'For the link of a sign-up alone: another password, for whoever reads the mail and does not know, or want, the one that the sign-up chose.',
      }),
      name: personName.optional().meta({
        description:
          'For the link of a sign-up alone: what its reader wants to be called. Left out, it is what the sign-up said where its password is sent, and nothing otherwise: somebody else may have said it.',
      }),
      delivery,
    }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'It is verified.',
        schema: z.object({
          status: z.literal('verified'),
          deviceToken: z.string().meta({
            description: 'For sign-ins from here: who has it is not locked out with those who guess.',
          }),
        }),
        headers: eventHeader,
      },
      201: {
        description: 'Signed up, and signed in.',
        schema: z.union([signedInAnswer, signedInByCookies]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [linkInvalid, invalidCredentials, passwordCommon, tooManyAttempts, crossSite],
    async handle(call) {
      const { cause, token: caller, clientIp: ip, signal } = call;
      const { token, password, newPassword: chosen, name, delivery: kind } = call.body;
      const proof = await useProof.look(token, ['verify-email', 'sign-up']);
      if (proof.kind === 'sign-up') {
        const command = { token, password, newPassword: chosen, name, device: deviceOf(call), signal };
        const answer = await cookies.deliver(call, kind, async () =>
          answerSignedIn(await completeSignUp(cause, command), deviceTokens),
        );
        return { status: 201, ...answer };
      }
      if (chosen !== undefined) throw faults.invalidRequest({ errors: [newPasswordUnexpected] });
      if (name !== undefined) throw faults.invalidRequest({ errors: [nameUnexpected] });
      const events = await verifyEmail(cause, { token, password, callerId: caller?.sub, ip, signal });
      const headers = { ...noStore, 'Causeway-Event': events.join(', ') };
      const deviceToken = deviceTokens.issue(proof.emailKey, knownByLink(caller, proof.accountId));
      return { status: 200, headers, body: { status: 'verified' as const, deviceToken } };
    },
  });
};
