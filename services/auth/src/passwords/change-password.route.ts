import { crossSite, defineRoute, insufficientAuthentication } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { cookieHeader } from '../sessions/cookie-delivery.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { noStore, tokensAnswer } from '../sessions/session-tokens.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import type { ChangePassword } from './change-password.ts';
import { newPassword, typedPassword } from './password.ts';
import { passwordCommon } from './passwords.errors.ts';

const changed = z.object({
  status: z.literal('password-changed'),
  deviceToken: z.string().optional().meta({
    description: 'In place of the one of before, where the address is verified. Browsers get it in a cookie.',
  }),
});

/** What {@link changePasswordRoute} is given. */
export interface ChangePasswordRouteDependencies {
  readonly changePassword: ChangePassword;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf' | 'deviceCookieOf'>;
}

/** `PUT /v1/auth/password` */
export const changePasswordRoute = ({ changePassword, cookies }: ChangePasswordRouteDependencies): Route =>
  defineRoute({
    method: 'put',
    path: '/v1/auth/password',
    operationId: 'changePassword',
    tag: 'auth',
    summary: "Change the caller's password",
    description:
      'All other sessions end, at once and everywhere, and other devices are strangers when somebody guesses; this one goes on with the tokens of the answer, in cookies where the call came with them. An account without a password takes a recent authentication in place of the current one; with a second factor, one that has used it.',
    access: 'signed-in',
    body: z.strictObject({ currentPassword: typedPassword.optional(), newPassword }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'It is the password from now on.',
        schema: z.union([
          tokensAnswer.extend(changed.shape),
          tokensAnswer.pick({ expiresIn: true }).extend(changed.shape),
        ]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [invalidCredentials, insufficientAuthentication, passwordCommon, tooManyAttempts, crossSite],
    async handle({ cause, token: caller, body, clientIp: ip, signal, headers: { authorization } }) {
      const { tokens, deviceToken, events } = await changePassword(cause, { caller, ...body, ip, signal });
      const headers = { ...noStore, 'Causeway-Event': events.join(', ') };
      const status = 'password-changed' as const;
      const device = deviceToken === undefined ? {} : { deviceToken };
      if (authorization !== undefined) return { status: 200, headers, body: { status, ...tokens, ...device } };
      const known = deviceToken === undefined ? [] : [cookies.deviceCookieOf(deviceToken)];
      return {
        status: 200,
        headers: { ...headers, 'Set-Cookie': [...cookies.cookiesOf(tokens), ...known] },
        body: { status, expiresIn: tokens.expiresIn },
      };
    },
  });
