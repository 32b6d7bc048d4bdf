import { cookieNames, cookieOf, setCookie } from '@causeway/service';
import type { Call } from '@causeway/service';

import { deviceTokenDays } from './device-token.ts';

/** The cookie in which browsers keep their device token. */
export interface DeviceCookie {
  /** The token that the browser has sent. */
  tokenOf(call: Pick<Call, 'headers'>): string | undefined;
  /** `Set-Cookie` for a token. */
  of(deviceToken: string): string;
  /** Hands a token over as the call came: in the body to programs, which send a bearer token, and to browsers in the cookie. */
  deliver(
    call: Pick<Call, 'headers'>,
    deviceToken: string | undefined,
  ): { readonly headers: { readonly 'Set-Cookie'?: string }; readonly body: { readonly deviceToken?: string } };
}

/** @param publicUrl - where clients reach the gateway: the name follows from it */
export function createDeviceCookie(publicUrl: string): DeviceCookie {
  const { device: name, secure } = cookieNames(publicUrl);
  const of = (value: string): string => setCookie({ name, value, maxAgeS: deviceTokenDays * 86_400, secure });
  return {
    of,
    tokenOf: ({ headers }) => cookieOf(headers.cookie, name),
    deliver({ headers: { authorization } }, deviceToken) {
      if (deviceToken === undefined) return { headers: {}, body: {} };
      return authorization === undefined
        ? { headers: { 'Set-Cookie': of(deviceToken) }, body: {} }
        : { headers: {}, body: { deviceToken } };
    },
  };
}
