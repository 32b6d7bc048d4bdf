import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { answerLinkSent, linkSentAnswer, linkToken } from '../proofs/link-answers.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { RequestProof } from '../proofs/request-proof.ts';
import { cookieHeader, delivery } from './cookie-delivery.ts';
import type { CookieDelivery } from './cookie-delivery.ts';
import type { RedeemLink } from './redeem-link.ts';
import { accountDisabled, invalidCredentials } from './sessions.errors.ts';
import {
  answerMfaRequired,
  answerSignedIn,
  deviceOf,
  eventHeader,
  mfaRequiredAnswer,
  signedInAnswer,
  signedInByCookies,
} from './signed-in-answer.ts';

/** `POST /v1/auth/sign-in/link` */
export const sendSignInLinkRoute = ({ requestProof }: { readonly requestProof: RequestProof }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/link',
    operationId: 'sendSignInLink',
    tag: 'auth',
    summary: 'Have a link mailed that signs in',
    description: 'The answer is the same for every address. At most five links an hour go to one; the newest works.',
    access: 'anonymous',
    body: z.strictObject({ email: emailAddress }),
    bodyLimitBytes: 16_384,
    responses: {
      202: {
        description: 'It is mailed, if there is an account with this address.',
        schema: linkSentAnswer,
        headers: eventHeader,
      },
    },
    handle: async ({ cause, body }) =>
      answerLinkSent(await requestProof(cause, { kind: 'sign-in-link', email: body.email })),
  });

/** What {@link redeemLinkRoute} is given. */
export interface RedeemLinkRouteDependencies {
  readonly redeemLink: RedeemLink;
  readonly cookies: CookieDelivery;
  readonly deviceTokens: DeviceTokens;
}

type Entered = ReturnType<typeof answerSignedIn>['body'] | ReturnType<typeof answerMfaRequired>['body'];

/** `POST /v1/auth/sign-in/link/redeem` */
export const redeemLinkRoute = ({ redeemLink, cookies, deviceTokens }: RedeemLinkRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in/link/redeem',
    operationId: 'redeemSignInLink',
    tag: 'auth',
    summary: 'Sign in by a mailed link',
    description:
      'Where nobody had confirmed the address until then, the password, second factors and sessions that there were are gone: the link shows whose the account is, and nothing shows who has set them.',
    access: 'anonymous',
    body: z.strictObject({ token: linkToken, delivery }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'Signed in; or the account asks for a second factor.',
        schema: z.union([signedInAnswer, signedInByCookies, mfaRequiredAnswer]),
        headers: { ...eventHeader, ...cookieHeader },
      },
    },
    faults: [linkInvalid, accountDisabled, invalidCredentials, crossSite],
    async handle(call) {
      const { token, delivery: kind } = call.body;
      const answer = await cookies.deliver<Entered>(call, kind, async () => {
        const entered = await redeemLink(call.cause, { token, device: deviceOf(call) });
        return entered.status === 'signed-in' ? answerSignedIn(entered, deviceTokens) : answerMfaRequired(entered);
      });
      return { status: 200, ...answer };
    },
  });
