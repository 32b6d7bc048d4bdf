import type { Call } from '@causeway/service';
import { z } from 'zod';

import { accountSummary, summarizeAccount } from '../accounts/account-answer.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import type { KnownBy } from '../guessing/guess.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import type { MfaRequired, SignedIn } from './complete-sign-in.ts';
import { noStore, tokensAnswer } from './session-tokens.ts';
import type { Device } from './start-session.ts';

/** Answer to signing up, and to signing in where that is all. `status` is the discriminator. */
export const signedInAnswer = z.object({
  status: z.literal('signed-in'),
  account: accountSummary,
  ...tokensAnswer.shape,
  deviceToken: z.string().optional().meta({
    description:
      'To be kept for the next sign-in from here: who has it is not locked out when others guess at the account. Absent until the address has been verified, since anybody may sign up with it.',
  }),
});

/** The same where the tokens came in cookies. */
export const signedInByCookies = signedInAnswer.pick({ status: true, account: true, expiresIn: true });

/** Answer to signing in with one proof where the account asks for two. */
export const mfaRequiredAnswer = z.object({
  status: z.literal('mfa-required'),
  mfaToken: z.string().meta({
    description: 'Opens `POST /v1/auth/sign-in/second-factor` once, within 10 minutes, and nothing else.',
  }),
  methods: z
    .array(z.string())
    .meta({ description: 'What the second proof may be: `totp`, `passkey`, `recovery-codes`.' }),
});

/** Member of a body: the device token that the caller has. */
export const earlierDeviceToken = z
  .string()
  .max(256)
  .optional()
  .meta({ description: 'As an earlier sign-in from here gave it.' });

/** Member of the answer to using a link that signs nobody in. */
export const deviceTokenByMail = z.string().meta({
  description:
    'For the sign-in that follows: who has it is not locked out with those who guess. The one that was sent, where the second factor was shown from here before.',
});

/** Headers of answers to writes, for the documentation. */
export const eventHeader = { 'Causeway-Event': { description: 'Ids of the events that the call has recorded.' } };

/**
 * @param deviceToken - undefined until the address is verified: whoever signs up with somebody's, and signs in, must not be known to the account
 *   that its owner comes to have
 */
const answerWith = ({ account, tokens, events }: SignedIn, deviceToken: string | undefined) => ({
  headers: { ...noStore, 'Causeway-Event': events.join(', ') },
  body: {
    status: 'signed-in' as const,
    account: summarizeAccount(account),
    ...tokens,
    ...(deviceToken !== undefined && { deviceToken }),
  },
});

/** Whoever has a second factor has shown it, or would not be in. */
const shownBy = ({ account }: SignedIn): KnownBy => (account.hasSecondFactor ? 'proven' : 'known');

/**
 * @param deviceTokens - makes the device known that somebody has signed in from
 * @returns the body as {@link signedInAnswer} has it, and headers
 */
export const answerSignedIn = (signedIn: SignedIn, deviceTokens: Pick<DeviceTokens, 'issue'>) => {
  const { emailVerified, emailKey } = signedIn.account;
  return answerWith(signedIn, emailVerified ? deviceTokens.issue(emailKey, shownBy(signedIn)) : undefined);
};

/**
 * The same for whoever has given two proofs: a device where that was so before keeps its token.
 *
 * @param sent - the token that the device has
 */
export const answerProven = async (
  signedIn: SignedIn,
  sent: string | undefined,
  knownDevices: Pick<KnownDevices, 'tokenAfter'>,
) => {
  const { emailVerified, emailKey } = signedIn.account;
  return answerWith(
    signedIn,
    emailVerified ? await knownDevices.tokenAfter(sent, emailKey, shownBy(signedIn)) : undefined,
  );
};

/** @returns the body as {@link mfaRequiredAnswer} has it, and headers */
export const answerMfaRequired = ({ mfaToken, methods, events }: MfaRequired) => ({
  headers: { ...noStore, ...(events.length > 0 && { 'Causeway-Event': events.join(', ') }) },
  body: { status: 'mfa-required' as const, mfaToken, methods: [...methods] },
});

/** What somebody is answered who has given the first proof: that they are in, or what else is asked for. */
export type EnteredBody = ReturnType<typeof answerSignedIn>['body'] | ReturnType<typeof answerMfaRequired>['body'];

/** Longer ones are cut: nobody reads further, and everybody stores it. */
const longestUserAgent = 512;

/** @returns where the caller signs in from */
export const deviceOf = ({ clientIp, headers }: Pick<Call, 'clientIp' | 'headers'>): Device => {
  const userAgent = headers['user-agent']?.slice(0, longestUserAgent);
  return { ip: clientIp, ...(userAgent === undefined ? {} : { userAgent }) };
};
