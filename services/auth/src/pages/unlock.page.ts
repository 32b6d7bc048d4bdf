import { html } from '@causeway/service';
import type { Route } from '@causeway/service';

import type { KnownDevices } from '../guessing/known-devices.ts';
import type { Unlock } from '../guessing/unlock.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies } from './link.page.ts';
import { withNotice } from './notices.ts';

/** What {@link unlockPages} are given. */
export interface UnlockPagesDependencies extends LinkPagesDependencies {
  readonly unlock: Unlock;
  readonly knownDevices: Pick<KnownDevices, 'tokenByMail'>;
  readonly cookies: Pick<CookieDelivery, 'deviceCookieOf' | 'deviceTokenOf'>;
}

/** `/account/unlock/{token}` */
export const unlockPages = ({ unlock, knownDevices, cookies, ...given }: UnlockPagesDependencies): Route[] =>
  linkPages(given, {
    ...{ kinds: ['unlock'], name: 'unlock', operationId: 'unlock' },
    title: 'Unlock your account',
    body: () =>
      html`<p>
        There were too many wrong passwords or codes for your account. Unlock it to sign in from a new device.
      </p>`,
    button: 'Unlock it',
    another: html`<p>
      <a href="/account/sign-in">Sign in</a> from a device that you have used before, or wait for the next mail: there
      is one a day while somebody tries.
    </p>`,
    async work(call, { token }) {
      const { emailKey } = await unlock(call.cause, token);
      const deviceToken = await knownDevices.tokenByMail(cookies.deviceTokenOf(call), emailKey);
      // Where there is a second factor, this is the only way in: what was guessed still counts.
      const headers = { 'Set-Cookie': cookies.deviceCookieOf(deviceToken) };
      return { seeOther: withNotice('/account/sign-in', 'unlocked'), headers };
    },
  });
