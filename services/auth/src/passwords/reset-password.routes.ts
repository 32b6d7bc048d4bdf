import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { KnownDevices } from '../guessing/known-devices.ts';
import { linkToken } from '../proofs/link-answers.ts';
import { linkRequestRoute } from '../proofs/link-request.route.ts';
import type { LinkRequestRouteDependencies } from '../proofs/link-request.route.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { accountDisabled } from '../sessions/sessions.errors.ts';
import { deviceTokenByMail, earlierDeviceToken, eventHeader } from '../sessions/signed-in-answer.ts';
import { newPassword } from './password.ts';
import { passwordCommon } from './passwords.errors.ts';
import type { createResetPassword } from './reset-password.ts';

/** `POST /v1/auth/password/reset` */
export const sendResetRoute = (given: LinkRequestRouteDependencies): Route =>
  linkRequestRoute(given, {
    kind: 'reset-password',
    path: '/v1/auth/password/reset',
    operationId: 'sendPasswordReset',
    summary: 'Have a link mailed by which a new password is set',
    mailed: 'It is mailed, if there is an account with this address.',
  });

/** What {@link resetPasswordRoute} is given. */
export interface ResetPasswordRouteDependencies {
  readonly resetPassword: ReturnType<typeof createResetPassword>;
  readonly knownDevices: Pick<KnownDevices, 'tokenByMail'>;
  readonly cookies: Pick<CookieDelivery, 'deviceTokenOf'>;
}

/** `POST /v1/auth/password/reset/confirm` */
export const resetPasswordRoute = ({ resetPassword, knownDevices, cookies }: ResetPasswordRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/password/reset/confirm',
    operationId: 'resetPassword',
    tag: 'auth',
    summary: 'Set a new password by a mailed link',
    description:
      'All sessions end, and nobody is signed in: sign in with the new password, and the second factor where there is one. Where nobody had confirmed the address until then, second factors that there were are gone.',
    access: 'anonymous',
    body: z.strictObject({ token: linkToken, password: newPassword, deviceToken: earlierDeviceToken }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'It is the password from now on.',
        schema: z.object({
          status: z.literal('password-changed'),
          deviceToken: deviceTokenByMail,
        }),
        headers: eventHeader,
      },
    },
    faults: [linkInvalid, passwordCommon, accountDisabled],
    async handle(call) {
      const { token, password, deviceToken: sent = cookies.deviceTokenOf(call) } = call.body;
      const { emailKey, events } = await resetPassword(call.cause, { token, password, signal: call.signal });
      const deviceToken = await knownDevices.tokenByMail(sent, emailKey);
      return {
        status: 200,
        headers: { ...noStore, 'Causeway-Event': events.slice(0, 10).join(', ') },
        body: { status: 'password-changed' as const, deviceToken },
      };
    },
  });
