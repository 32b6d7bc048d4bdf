import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { passkeyInvalid } from '../factors/factors.errors.ts';
import { passkeyAnswer, passkeyOptions } from '../factors/passkeys/passkey-bodies.ts';
import type { AskForPasskey } from '../factors/passkeys/use-passkey.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import { cookieHeader, delivery } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import type { createPasskeySignIn } from './passkey-sign-in.ts';
import { noStore } from './session-tokens.ts';
import { accountDisabled, emailUnverified, invalidCredentials } from './sessions.errors.ts';
import {
  answerProven,
  deviceOf,
  earlierDeviceToken,
  eventHeader,
  signedInAnswer,
  signedInByCookies,
} from './signed-in-answer.ts';

/** `POST /v1/auth/sign-in/passkey/options` */
export const passkeySignInOptionsRoute = ({ askForPasskey }: { readonly askForPasskey: AskForPasskey }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/passkey/options',
    operationId: 'passkeySignInOptions',
    tag: 'auth',
    summary: 'Begin to sign in with a passkey',
    description: 'The authenticator shows whoever holds it which accounts it has passkeys of; nothing is told here.',
    access: 'anonymous',
    responses: { 200: { description: 'What to ask the authenticator.', schema: passkeyOptions } },
    async handle() {
      const { ticket, options } = await askForPasskey();
      return { status: 200, headers: noStore, body: { ticket, options: { ...options } } };
    },
  });

/** What {@link passkeySignInRoute} is given. */
export interface PasskeySignInRouteDependencies {
  readonly passkeySignIn: ReturnType<typeof createPasskeySignIn>;
  readonly cookies: CookieDelivery;
  readonly knownDevices: Pick<KnownDevices, 'tokenAfter'>;
}

/** `POST /v1/auth/sign-in/passkey` */
export const passkeySignInRoute = ({ passkeySignIn, cookies, knownDevices }: PasskeySignInRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/passkey',
    operationId: 'passkeySignIn',
    tag: 'auth',
    summary: 'Sign in with a passkey alone',
    access: 'anonymous',
    body: passkeyAnswer.extend({ deviceToken: earlierDeviceToken, delivery }),
    bodyLimitBytes: 32_768,
    responses: {
      200: {
        description: 'Signed in.',
        schema: z.union([signedInAnswer, signedInByCookies]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [passkeyInvalid, invalidCredentials, accountDisabled, emailUnverified, crossSite],
    async handle(call) {
      const { delivery: kind, deviceToken = cookies.deviceTokenOf(call), ...answer } = call.body;
      const delivered = await cookies.deliver(call, kind, async () =>
        answerProven(await passkeySignIn(call.cause, { answer, device: deviceOf(call) }), deviceToken, knownDevices),
      );
      return { status: 200, ...delivered };
    },
  });
