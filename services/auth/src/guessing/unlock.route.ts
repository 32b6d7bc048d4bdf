import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { linkToken } from '../proofs/link-answers.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { deviceTokenByMail, earlierDeviceToken, eventHeader } from '../sessions/signed-in-answer.ts';
import type { DeviceCookie } from './device-cookie.ts';
import type { KnownDevices } from './known-devices.ts';
import type { Unlock } from './unlock.ts';

/** What {@link unlockRoute} is given. */
export interface UnlockRouteDependencies {
  readonly unlock: Unlock;
  readonly knownDevices: Pick<KnownDevices, 'tokenByMail'>;
  readonly deviceCookie: Pick<DeviceCookie, 'tokenOf'>;
}

/** `POST /v1/auth/unlock` */
export const unlockRoute = ({ unlock, knownDevices, deviceCookie }: UnlockRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/unlock',
    operationId: 'unlock',
    tag: 'auth',
    summary: 'Sign in from new devices again, by the link that was mailed when somebody had guessed too often',
    description:
      'What was guessed counts no more. Where the account has a second factor it still does, until somebody is all the way in: sign in with the device token, which is not locked out with those who guess.',
    access: 'anonymous',
    body: z.strictObject({ token: linkToken, deviceToken: earlierDeviceToken }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'Sign in with the device token. Nobody is signed in by the link.',
        schema: z.object({
          status: z.literal('unlocked'),
          deviceToken: deviceTokenByMail,
        }),
        headers: eventHeader,
      },
    },
    faults: [linkInvalid],
    async handle(call) {
      const { token, deviceToken: sent = deviceCookie.tokenOf(call) } = call.body;
      const { emailKey, events } = await unlock(call.cause, token);
      const deviceToken = await knownDevices.tokenByMail(sent, emailKey);
      const headers = { ...noStore, 'Causeway-Event': events.join(', ') };
      return { status: 200, headers, body: { status: 'unlocked' as const, deviceToken } };
    },
  });
