import { crossSite, defineRoute } from '@causeway/service';
import type { RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import type { DeviceTokens } from '../../guessing/device-token.ts';
import { knownByLink } from '../../guessing/guess.ts';
import { tooManyAttempts } from '../../guessing/guessing.errors.ts';
import { typedPassword } from '../../passwords/password.ts';
import type { AskForLink } from '../../proofs/ask-for-link.ts';
import { answerLinkSent, linkSentAnswer, linkToken } from '../../proofs/link-answers.ts';
import { linkInvalid, tooManyLinks } from '../../proofs/proofs.errors.ts';
import { cookieHeader } from '../../sessions/cookie-delivery.ts';
import type { CookieDelivery } from '../../sessions/cookie-delivery.ts';
import { noStore, tokensAnswer } from '../../sessions/session-tokens.ts';
import { accountDisabled, invalidCredentials } from '../../sessions/sessions.errors.ts';
import { eventHeader } from '../../sessions/signed-in-answer.ts';
import { accountSummary, summarizeAccount } from '../account-answer.ts';
import { emailTaken } from '../accounts.errors.ts';
import { emailAddress } from '../email-address.ts';
import type { ConfirmEmailChange } from './confirm-email-change.ts';
import type { UndoEmailChange } from './undo-email-change.ts';

/** `POST /v1/auth/email` */
export const requestEmailChangeRoute = (given: {
  readonly askForLink: AskForLink;
  readonly recent: RecentAuthentication;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/email',
    operationId: 'requestEmailChange',
    tag: 'auth',
    summary: "Have a link mailed to a new address by which it becomes the account's",
    description:
      'The answer is the same whether or not somebody has the address. At most five links an hour; the newest works. Asks for a recent authentication, and for one with the second factor where there is one.',
    access: 'signed-in',
    recent: given.recent,
    body: z.strictObject({ email: emailAddress }),
    bodyLimitBytes: 16_384,
    responses: {
      202: { description: 'It is mailed to the new address.', schema: linkSentAnswer },
    },
    faults: [tooManyLinks],
    // Whether somebody has it already is not looked up: that is told to nobody but whoever reads its mail.
    async handle({ cause, clientIp: ip, token: { sub: accountId }, body: { email } }) {
      await given.askForLink(cause, { kind: 'change-email', email, accountId, ip });
      return answerLinkSent();
    },
  });

/** What {@link confirmEmailChangeRoute} is given. */
export interface ConfirmEmailChangeRouteDependencies {
  readonly confirmEmailChange: ConfirmEmailChange;
  readonly cookies: Pick<CookieDelivery, 'cookiesOf'>;
  readonly deviceTokens: Pick<DeviceTokens, 'issue'>;
}

const changed = z.object({
  status: z.literal('email-changed'),
  account: accountSummary,
  deviceToken: z.string().meta({ description: 'In place of the one of before, which was for the address of before.' }),
});

/** `POST /v1/auth/email/confirm` */
export const confirmEmailChangeRoute = (given: ConfirmEmailChangeRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/email/confirm',
    operationId: 'confirmEmailChange',
    tag: 'auth',
    summary: 'Change the address of an account by the link that was mailed to the new one',
    description:
      "Made in a session of the account, or with the account's password: the link alone does not say whose the account is. All other sessions end; this one goes on with the tokens of the answer, in cookies where the call came with them. The address of before gets a link by which the change is undone.",
    access: 'public',
    body: z.strictObject({ token: linkToken, password: typedPassword.optional() }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: "It is the account's address from now on.",
        schema: z.union([changed.extend(tokensAnswer.shape), changed]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [linkInvalid, invalidCredentials, accountDisabled, emailTaken, tooManyAttempts, crossSite],
    async handle({ cause, body, token: caller, clientIp: ip, signal, headers: { authorization } }) {
      const by = { callerId: caller?.sub, sessionId: caller?.sid, ip, signal };
      const { account, tokens, events } = await given.confirmEmailChange(cause, { ...body, ...by });
      const headers = { ...noStore, 'Causeway-Event': events.join(', ') };
      const answer = {
        ...{ status: 'email-changed' as const, account: summarizeAccount(account) },
        deviceToken: given.deviceTokens.issue(account.emailKey, knownByLink(caller, account._id)),
      };
      if (tokens === undefined) return { status: 200, headers, body: answer };
      if (authorization !== undefined) return { status: 200, headers, body: { ...answer, ...tokens } };
      return { status: 200, headers: { ...headers, 'Set-Cookie': given.cookies.cookiesOf(tokens) }, body: answer };
    },
  });

/** `POST /v1/auth/email/undo` */
export const undoEmailChangeRoute = (given: { readonly undoEmailChange: UndoEmailChange }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/email/undo',
    operationId: 'undoEmailChange',
    tag: 'auth',
    summary: 'Undo the change of an address by the link that was mailed to the one of before',
    description:
      'The account may have been stolen: all sessions end, the password is void, second factors and recovery codes that were set up since the change, or within `EMAIL_UNDO_TIME` before it, are gone, and a link to set a password is mailed to the address.',
    access: 'anonymous',
    body: z.strictObject({ token: linkToken }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'The account has the address again.',
        schema: z.object({ status: z.literal('email-restored') }),
        headers: eventHeader,
      },
    },
    faults: [linkInvalid],
    async handle({ cause, body: { token } }) {
      const events = await given.undoEmailChange(cause, { token });
      return {
        status: 200,
        headers: { ...noStore, 'Causeway-Event': events.slice(0, 10).join(', ') },
        body: { status: 'email-restored' as const },
      };
    },
  });
