import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { DeviceTokens } from '../guessing/device-token.ts';
import { linkToken } from '../proofs/link-answers.ts';
import { linkRequestRoute } from '../proofs/link-request.route.ts';
import type { LinkRequestRouteDependencies } from '../proofs/link-request.route.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
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
import type { EnteredBody } from './signed-in-answer.ts';

/** `POST /v1/auth/sign-in/link` */
export const sendSignInLinkRoute = (given: LinkRequestRouteDependencies): Route =>
  linkRequestRoute(given, {
    kind: 'sign-in-link',
    path: '/v1/auth/sign-in/link',
    operationId: 'sendSignInLink',
    summary: 'Have a link mailed that signs in',
    mailed: 'It is mailed, if there is an account with this address.',
  });

/** What {@link redeemLinkRoute} is given. */
export interface RedeemLinkRouteDependencies {
  readonly redeemLink: RedeemLink;
  readonly cookies: CookieDelivery;
  readonly deviceTokens: DeviceTokens;
}

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
      const answer = await cookies.deliver<EnteredBody>(call, kind, async () => {
        const entered = await redeemLink(call.cause, { token, device: deviceOf(call) });
        return entered.status === 'signed-in' ? answerSignedIn(entered, deviceTokens) : answerMfaRequired(entered);
      });
      return { status: 200, ...answer };
    },
  });
