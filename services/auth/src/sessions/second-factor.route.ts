import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { invalidCode, passkeyInvalid } from '../factors/factors.errors.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import { ticketInvalid } from '../tickets/tickets.errors.ts';
import { cookieHeader, delivery } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import type { createSecondFactor } from './second-factor.ts';
import { secondProofOf, secondProofs } from './second-proof-body.ts';
import { invalidCredentials } from './sessions.errors.ts';
import {
  answerProven,
  deviceOf,
  earlierDeviceToken,
  eventHeader,
  signedInAnswer,
  signedInByCookies,
} from './signed-in-answer.ts';

/** What {@link secondFactorRoute} is given. */
export interface SecondFactorRouteDependencies {
  readonly secondFactor: ReturnType<typeof createSecondFactor>;
  readonly cookies: CookieDelivery;
  readonly knownDevices: Pick<KnownDevices, 'tokenAfter'>;
}

const shared = z.strictObject({
  mfaToken: z.string().max(256).meta({ description: 'What the first step has answered.' }),
  deviceToken: earlierDeviceToken,
  delivery,
});

/** `POST /v1/auth/sign-in/second-factor` */
export const secondFactorRoute = ({ secondFactor, cookies, knownDevices }: SecondFactorRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/second-factor',
    operationId: 'secondFactor',
    tag: 'auth',
    summary: 'Complete a sign-in with a second factor',
    access: 'anonymous',
    body: z.union([shared.extend(secondProofs[0]), shared.extend(secondProofs[1]), shared.extend(secondProofs[2])]),
    bodyLimitBytes: 32_768,
    responses: {
      200: {
        description: 'Signed in.',
        schema: z.union([signedInAnswer, signedInByCookies]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [invalidCode, passkeyInvalid, invalidCredentials, ticketInvalid, tooManyAttempts, crossSite],
    async handle(call) {
      const { mfaToken, delivery: kind, deviceToken = cookies.deviceTokenOf(call) } = call.body;
      const command = { mfaToken, proof: secondProofOf(call.body), device: deviceOf(call), deviceToken };
      const answer = await cookies.deliver(call, kind, async () =>
        answerProven(await secondFactor(call.cause, command), deviceToken, knownDevices),
      );
      return { status: 200, ...answer };
    },
  });
