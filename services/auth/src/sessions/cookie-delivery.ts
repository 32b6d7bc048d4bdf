import { cookieNames, cookieOf, createDemandSameOrigin, setCookie } from '@causeway/service';
import type { Call } from '@causeway/service';
import { z } from 'zod';

import { createDeviceCookie } from '../guessing/device-cookie.ts';
import type { EndReplacedSession } from './end-replaced-session.ts';
import type { Tokens } from './session-tokens.ts';

/** How tokens are handed over: in the answer's body, or in cookies that no script can read. */
export const delivery = z.enum(['body', 'cookies']).default('body').meta({
  description:
    '`cookies`, for pages of this origin: the tokens come in cookies that no script can read, and not in the body.',
});

/** How tokens are handed over. */
export type DeliveryKind = z.output<typeof delivery>;

/** Headers of answers with cookies, for the documentation. */
export const cookieHeader = { 'Set-Cookie': { description: 'The tokens, where they are delivered in cookies.' } };

/** What {@link createCookieDelivery} is given. */
export interface CookieDeliveryDependencies {
  /** Where clients reach the gateway: names of cookies and our own origin follow from it. */
  readonly publicUrl: string;
  /** How long a session lives that is not refreshed. */
  readonly idleMs: number;
  readonly endReplacedSession: EndReplacedSession;
}

/** A call, as far as cookies are concerned. */
export type CookieCall = Pick<Call, 'headers' | 'cause' | 'request' | 'response'>;

type Secrets = Tokens & { readonly deviceToken?: string | undefined };

/** An answer that may carry tokens. */
export interface TokensAnswer<Body> {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

/** An answer whose tokens are in cookies. */
export type WithoutTokens<Body> = Omit<Body, Exclude<keyof Secrets, 'expiresIn'>>;

/** Hands tokens over to browsers. */
export interface CookieDelivery {
  /**
   * Signs somebody in, and hands the tokens over as they asked for it. Tokens for cookies are made for pages of ours alone, since another
   * site could sign a visitor in as somebody else; and the session that the browser had until then ends, so that nothing of it lives on.
   *
   * @param work - signs in; an answer without tokens is passed on as it is
   * @throws Fault `cross-site` before anything is done
   */
  deliver<Body extends object>(
    call: CookieCall,
    kind: DeliveryKind,
    work: () => Promise<TokensAnswer<Body>>,
  ): Promise<{
    readonly headers: Readonly<Record<string, string | string[]>>;
    readonly body: Body | WithoutTokens<Body>;
  }>;
  /** `Set-Cookie` for a pair of tokens. */
  cookiesOf(tokens: Tokens): string[];
  /** `Set-Cookie` for a device token. */
  deviceCookieOf(deviceToken: string): string;
  /**
   * The refresh token of the browser's cookie.
   *
   * @throws Fault `cross-site` where there is one and the call may be another site's
   */
  refreshTokenOf(call: Pick<Call, 'headers' | 'request'>): string | undefined;
  /** The device token of the browser's cookie. */
  deviceTokenOf(call: Pick<Call, 'headers'>): string | undefined;
  /** `Set-Cookie` that takes the tokens away; undefined where the browser has none. */
  cleared(call: Pick<Call, 'headers'>): string[] | undefined;
}

const hasTokens = <Body extends object>(body: Body): body is Body & Secrets => 'refreshToken' in body;

/** @returns what hands tokens over in cookies */
export function createCookieDelivery(dependencies: CookieDeliveryDependencies): CookieDelivery {
  const { publicUrl, idleMs, endReplacedSession } = dependencies;
  const names = cookieNames(publicUrl);
  const demandSameOrigin = createDemandSameOrigin(publicUrl);
  const { secure } = names;
  const cookiesOf = ({ accessToken, refreshToken, expiresIn }: Tokens): string[] => [
    setCookie({ name: names.access, value: accessToken, maxAgeS: expiresIn, secure }),
    setCookie({ name: names.refresh, value: refreshToken, maxAgeS: Math.floor(idleMs / 1000), secure }),
  ];
  const deviceCookie = createDeviceCookie(publicUrl);

  return {
    async deliver(call, kind, work) {
      if (kind === 'body') return work();
      demandSameOrigin(call.request);
      const before = cookieOf(call.headers.cookie, names.refresh);
      const answer = await work();
      const { body } = answer;
      if (!hasTokens(body)) return answer;
      const { accessToken, refreshToken, tokenType, deviceToken, ...rest } = body;
      const tokens = { accessToken, refreshToken, tokenType, expiresIn: body.expiresIn };
      const ended = before === undefined ? undefined : await endReplacedSession(call.cause, before, refreshToken);
      const events = [answer.headers['Causeway-Event'], ended].filter((each) => each !== undefined);
      return {
        headers: {
          ...answer.headers,
          'Causeway-Event': events.join(', '),
          'Set-Cookie': [...cookiesOf(tokens), ...(deviceToken === undefined ? [] : [deviceCookie.of(deviceToken)])],
        },
        body: rest,
      };
    },
    cookiesOf,
    deviceCookieOf: (deviceToken) => deviceCookie.of(deviceToken),
    refreshTokenOf({ headers, request }) {
      const token = cookieOf(headers.cookie, names.refresh);
      if (token !== undefined) demandSameOrigin(request);
      return token;
    },
    deviceTokenOf: (call) => deviceCookie.tokenOf(call),
    cleared({ headers }) {
      const has = [names.access, names.refresh].some((name) => headers.cookie?.includes(name) === true);
      if (!has) return undefined;
      return [names.access, names.refresh].map((name) => setCookie({ name, value: '', maxAgeS: 0, secure }));
    },
  };
}
