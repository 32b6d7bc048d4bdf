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

const shared = z.strictObject({
  mfaToken: z.string().max(256).meta({ description: 'What the first step has answered.' }),
  deviceToken: z.string().max(256).optional().meta({ description: 'As an earlier sign-in from here gave it.' }),
  delivery,
});

/** `POST /v1/auth/sign-in/second-factor` */
export const secondFactorRoute = ({ secondFactor, cookies, deviceTokens }: SecondFactorRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/second-factor',
    operationId: 'secondFactor',
    tag: 'auth',
    summary: 'Complete a sign-in with a second factor',
    access: 'anonymous',
    body: z.union([
      shared.extend({ totp: typedCode.meta({ description: 'The six digits that the authenticator app shows.' }) }),
      shared.extend({ recoveryCode: typedCode.meta({ description: 'One of those on paper; each is taken once.' }) }),
    ]),
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
      const { mfaToken, delivery: kind, deviceToken = cookies.deviceTokenOf(call) } = call.body;
      const proof =
        'totp' in call.body
          ? ({ kind: 'totp', code: call.body.totp } as const)
          : ({ kind: 'recovery-code', code: call.body.recoveryCode } as const);
      const command = { mfaToken, proof, device: deviceOf(call), deviceToken };
      const answer = await cookies.deliver(call, kind, async () =>
        answerSignedIn(await secondFactor(call.cause, command), deviceTokens),
      );
      return { status: 200, ...answer };
    },
  });
