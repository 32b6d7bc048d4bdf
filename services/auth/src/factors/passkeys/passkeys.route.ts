import { defineRoute } from '@causeway/service';
import type { RecentAuthentication, Route } from '@causeway/service';

import { personName } from '../../accounts/person-name.ts';
import type { DeviceCookie } from '../../guessing/device-cookie.ts';
import { noStore } from '../../sessions/session-tokens.ts';
import { eventHeader } from '../../sessions/signed-in-answer.ts';
import { callerOf } from '../caller.ts';
import { deviceTokenOfFirst, factorAnswer, recoveryCodesOfFirst, representFactor } from '../factor-answer.ts';
import { factorExists, factorLimit, passkeyInvalid, tooManyFactors } from '../factors.errors.ts';
import { passkeyOptions, registrationBody } from './passkey-bodies.ts';
import type { createBeginPasskey, createRegisterPasskey } from './register-passkey.ts';

const registeredPasskey = factorAnswer.extend({
  recoveryCodes: recoveryCodesOfFirst,
  deviceToken: deviceTokenOfFirst,
});

/** `POST /v1/auth/factors/passkeys/options` */
export const passkeyOptionsRoute = (given: {
  readonly beginPasskey: ReturnType<typeof createBeginPasskey>;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/factors/passkeys/options',
    operationId: 'beginPasskey',
    tag: 'auth',
    summary: 'Begin to register a passkey',
    access: 'signed-in',
    recent: given.recent,
    responses: { 200: { description: 'What to ask the authenticator.', schema: passkeyOptions } },
    async handle({ token }) {
      const { ticket, options } = await given.beginPasskey(token.sub);
      return { status: 200, headers: noStore, body: { ticket, options: { ...options } } };
    },
  });

/** `POST /v1/auth/factors/passkeys` */
export const registerPasskeyRoute = (given: {
  readonly registerPasskey: ReturnType<typeof createRegisterPasskey>;
  readonly deviceCookie: Pick<DeviceCookie, 'deliver'>;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/factors/passkeys',
    operationId: 'registerPasskey',
    tag: 'auth',
    summary: 'Register a passkey',
    description:
      'From now on it signs in by itself, and whoever signs in with a password is asked for it, or for one of the recovery codes.',
    access: 'signed-in',
    recent: given.recent,
    body: registrationBody.extend({ name: personName.optional() }),
    bodyLimitBytes: 32_768,
    responses: { 201: { description: 'Registered.', schema: registeredPasskey, headers: eventHeader } },
    faults: [passkeyInvalid, factorExists, factorLimit, tooManyFactors],
    async handle(call) {
      const { ticket, response, name = 'Passkey' } = call.body;
      const command = { ...callerOf(call.token), ticket, response, name };
      const { factor, recoveryCodes, deviceToken, events } = await given.registerPasskey(call.cause, command);
      const device = given.deviceCookie.deliver(call, deviceToken);
      const codes = recoveryCodes === undefined ? {} : { recoveryCodes: [...recoveryCodes] };
      return {
        status: 201,
        headers: { ...noStore, ...device.headers, 'Causeway-Event': events.join(', ') },
        body: { ...representFactor(factor), ...codes, ...device.body },
      };
    },
  });
