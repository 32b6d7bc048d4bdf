import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import { personName } from '../accounts/person-name.ts';
import type { DeviceCookie } from '../guessing/device-cookie.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import type { createBeginTotp, createConfirmTotp } from './enrol-totp.ts';
import { callerOf } from './caller.ts';
import { deviceTokenOfFirst, factorAnswer, recoveryCodesOfFirst, representFactor } from './factor-answer.ts';
import { factorExists, invalidCode, tooManyFactors } from './factors.errors.ts';
import { qrCode } from './qr-code.ts';

/** What a code may look like before it is looked at: nobody types more. */
export const typedCode = z.string().min(1).max(64);

const begunTotp = factorAnswer.extend({
  secret: z.string().meta({ description: 'In Base32, for apps that cannot read the QR code. Told this once.' }),
  uri: z.string().meta({ description: '`otpauth://totp/…`' }),
  qr: z.string().meta({ description: 'The same as a QR code: the source of an image (`data:image/svg+xml`).' }),
});

const confirmedTotp = factorAnswer.extend({
  recoveryCodes: recoveryCodesOfFirst,
  deviceToken: deviceTokenOfFirst,
});

/** `POST /v1/auth/factors/totp` */
export const beginTotpRoute = (given: {
  readonly beginTotp: ReturnType<typeof createBeginTotp>;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/factors/totp',
    operationId: 'beginTotp',
    tag: 'auth',
    summary: 'Begin to enrol an authenticator app',
    description:
      'It opens nothing, and nobody is asked for it, until a code of it has confirmed it, within 15 minutes.',
    access: 'signed-in',
    recent: given.recent,
    body: z.strictObject({ name: personName.optional() }),
    bodyLimitBytes: 16_384,
    responses: { 201: { description: 'It waits to be confirmed.', schema: begunTotp, headers: eventHeader } },
    faults: [factorExists],
    async handle({ cause, token, body: { name = 'Authenticator app' } }) {
      const { factor, secret, uri, events } = await given.beginTotp(cause, { accountId: token.sub, name });
      return {
        status: 201,
        headers: { ...noStore, 'Causeway-Event': events.length > 10 ? undefined : events.join(', ') },
        body: { ...representFactor(factor), secret, uri, qr: qrCode(uri) },
      };
    },
  });

/** `POST /v1/auth/factors/totp/{id}/confirm` */
export const confirmTotpRoute = (given: {
  readonly confirmTotp: ReturnType<typeof createConfirmTotp>;
  readonly deviceCookie: Pick<DeviceCookie, 'deliver'>;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/factors/totp/{id}/confirm',
    operationId: 'confirmTotp',
    tag: 'auth',
    summary: 'Confirm an authenticator app with a code of it',
    description:
      'From now on signing in takes a code of it, or one of the recovery codes. These are told this once; those that there are stay as they are.',
    access: 'signed-in',
    recent: given.recent,
    params: z.object({ id: z.string().max(64) }),
    body: z.strictObject({ code: typedCode }),
    bodyLimitBytes: 16_384,
    responses: { 200: { description: 'Confirmed.', schema: confirmedTotp, headers: eventHeader } },
    faults: [invalidCode, factorExists, tooManyFactors, tooManyAttempts, faults.notFound],
    async handle(call) {
      const { cause, token, params, body, clientIp: ip } = call;
      const command = { ...callerOf(token), factorId: params.id, code: body.code, ip };
      const { factor, recoveryCodes, deviceToken, events } = await given.confirmTotp(cause, command);
      const device = given.deviceCookie.deliver(call, deviceToken);
      const codes = recoveryCodes === undefined ? {} : { recoveryCodes: [...recoveryCodes] };
      return {
        status: 200,
        headers: { ...noStore, ...device.headers, 'Causeway-Event': events.join(', ') },
        body: { ...representFactor(factor), ...codes, ...device.body },
      };
    },
  });
