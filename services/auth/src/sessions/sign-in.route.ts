import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { typedPassword } from '../passwords/password.ts';
import { cookieHeader, delivery } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import { accountDisabled, emailUnverified, invalidCredentials } from './sessions.errors.ts';
import type { createSignIn } from './sign-in.ts';
import {
  answerMfaRequired,
  answerSignedIn,
  deviceOf,
  earlierDeviceToken,
  eventHeader,
  mfaRequiredAnswer,
  signedInAnswer,
  signedInByCookies,
} from './signed-in-answer.ts';
import type { EnteredBody } from './signed-in-answer.ts';

/** What {@link signInRoute} is given. */
export interface SignInRouteDependencies {
  readonly signIn: ReturnType<typeof createSignIn>;
  readonly cookies: CookieDelivery;
  readonly deviceTokens: DeviceTokens;
}

/** `POST /v1/auth/sign-in` */
export const signInRoute = ({ signIn, cookies, deviceTokens }: SignInRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in',
    operationId: 'signIn',
    tag: 'auth',
    summary: 'Sign in with e-mail address and password',
    access: 'anonymous',
    body: z.strictObject({
      email: emailAddress,
      password: typedPassword,
      deviceToken: earlierDeviceToken,
      delivery,
    }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'Signed in; or the password is right, and the account asks for a second factor.',
        schema: z.union([signedInAnswer, signedInByCookies, mfaRequiredAnswer]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [invalidCredentials, accountDisabled, emailUnverified, tooManyAttempts, crossSite],
    async handle(call) {
      const { email, password, delivery: kind, deviceToken = cookies.deviceTokenOf(call) } = call.body;
      const command = { email, password, device: deviceOf(call), deviceToken, signal: call.signal };
      const answer = await cookies.deliver<EnteredBody>(call, kind, async () => {
        const entered = await signIn(call.cause, command);
        return entered.status === 'signed-in' ? answerSignedIn(entered, deviceTokens) : answerMfaRequired(entered);
      });
      return { status: 200, ...answer };
    },
  });
