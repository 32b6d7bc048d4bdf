import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { typedCode } from '../factors/enrol-totp.route.ts';
import { invalidCode } from '../factors/factors.errors.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { ticketInvalid } from '../tickets/tickets.errors.ts';
import { cookieHeader, delivery } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import type { createSecondFactor } from './second-factor.ts';
import { invalidCredentials } from './sessions.errors.ts';
import { answerSignedIn, deviceOf, eventHeader, signedInAnswer, signedInByCookies } from './signed-in-answer.ts';

/** What {@link secondFactorRoute} is given. */
export interface SecondFactorRouteDependencies {
  readonly secondFactor: ReturnType<typeof createSecondFactor>;
  readonly cookies: CookieDelivery;
  readonly deviceTokens: DeviceTokens;
}

/** `POST /v1/auth/sign-in/second-factor` */
export const secondFactorRoute = ({ secondFactor, cookies, deviceTokens }: SecondFactorRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/second-factor',
    operationId: 'secondFactor',
    tag: 'auth',
    summary: 'Complete a sign-in with a second factor',
    access: 'anonymous',
    body: z.strictObject({
      mfaToken: z.string().max(256).meta({ description: 'What the first step has answered.' }),
      totp: typedCode.meta({ description: 'The six digits that the authenticator app shows.' }),
      deviceToken: z.string().max(256).optional().meta({ description: 'As an earlier sign-in from here gave it.' }),
      delivery,
    }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'Signed in.',
        schema: z.union([signedInAnswer, signedInByCookies]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [invalidCode, invalidCredentials, ticketInvalid, tooManyAttempts, crossSite],
    async handle(call) {
      const { mfaToken, totp, delivery: kind, deviceToken = cookies.deviceTokenOf(call) } = call.body;
      const command = { mfaToken, totp, device: deviceOf(call), deviceToken };
      const answer = await cookies.deliver(call, kind, async () =>
        answerSignedIn(await secondFactor(call.cause, command), deviceTokens),
      );
      return { status: 200, ...answer };
    },
  });
