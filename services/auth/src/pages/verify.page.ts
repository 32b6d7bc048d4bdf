import { html, validateBody } from '@causeway/service';
import type { Call, Html, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import type { CompleteSignUp } from '../accounts/complete-sign-up.ts';
import { personName } from '../accounts/person-name.ts';
import type { VerifyEmail } from '../accounts/verify-email.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { knownByLink } from '../guessing/guess.ts';
import { newPassword, typedPassword } from '../passwords/password.ts';
import type { ProofKind } from '../proofs/proof-kinds.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { answerSignedIn, deviceOf } from '../sessions/signed-in-answer.ts';
import { fieldHtml } from './layout.ts';
import { linkPages } from './link.page.ts';
import type { LinkPagesDependencies, OpenedLink, UsedLink } from './link.page.ts';
import { linkRequestPages } from './link-request.page.ts';
import type { LinkRequestDependencies } from './link-request.page.ts';
import { withNotice } from './notices.ts';

/** What {@link verifyPages} are given. */
export interface VerifyPagesDependencies extends LinkPagesDependencies, LinkRequestDependencies {
  readonly verifyEmail: VerifyEmail;
  readonly completeSignUp: CompleteSignUp;
  readonly deviceTokens: DeviceTokens;
  readonly cookies: CookieDelivery;
}

const fields = z.object({ password: typedPassword.min(1, 'This is required.') });
const chosenFields = z.object({ newPassword });
const namedFields = z.object({ name: personName });

const isSignUp = ({ proof }: OpenedLink): boolean => proof.kind === 'sign-up';

const isOwn = ({ proof, member }: OpenedLink): boolean => member !== undefined && member.claims.sub === proof.accountId;

/** The link says who reads the mail, and not who signed up: that takes the account's session or its password, where one was chosen. */
const takesPassword = (opened: OpenedLink): boolean =>
  isSignUp(opened) ? opened.proof.passwordHash !== undefined : !isOwn(opened);

/** Who signs up may have forgotten it; or somebody else has chosen it, and the address is theirs all the same. */
const choice = ({ failure }: OpenedLink): Html =>
  fieldHtml({
    ...{ name: 'newPassword', label: 'Or another password', type: 'password', autocomplete: 'new-password' },
    ...{ required: false, wrong: failure?.fields.newPassword },
    hint: 'If you do not know that one, or would rather have another. At least 10 characters.',
  });

/** What the sign-up said may be somebody else's word: it goes with their password. */
const nameField = ({ proof, name, failure }: OpenedLink): Html =>
  fieldHtml({
    ...{ name: 'name', label: 'Name (optional)', type: 'text', autocomplete: 'name', required: false },
    ...{ value: name, wrong: failure?.fields.name },
    hint:
      proof.passwordHash === undefined
        ? 'What you want to be called. Say it once more: anybody could have signed up with your address.'
        : 'What you want to be called. With the password that you chose when you signed up, your name of then stays if this is empty.',
  });

/** What somebody who signs up wants to be called. */
const nameOf = ({ name }: UsedLink): { readonly name?: string } =>
  name.trim() === '' ? {} : (validateBody(namedFields, { name }) as z.output<typeof namedFields>);

/** What is sent of a form that asks for a password: the one that there is, or another one. */
const passwordsOf = (used: UsedLink): { readonly password?: string; readonly newPassword?: string } => {
  if (!takesPassword(used)) return {};
  const { password, newPassword: chosen } = used;
  if (!isSignUp(used) || chosen === '') return validateBody(fields, { password }) as z.output<typeof fields>;
  const another = validateBody(chosenFields, { newPassword: chosen }) as z.output<typeof chosenFields>;
  return { ...another, ...(password !== '' && { password }) };
};

const body = (opened: OpenedLink): Html => html`
  <p>
    Is <strong>${opened.proof.email}</strong> your address, and did you sign up with it? If not, close this page:
    nothing happens.
  </p>
  ${
    takesPassword(opened) &&
    fieldHtml({
      ...{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
      required: !isSignUp(opened),
      hint: 'The one that you chose when you signed up.',
      wrong: opened.failure?.fields.password,
    })
  }
  ${isSignUp(opened) && takesPassword(opened) && choice(opened)} ${isSignUp(opened) && nameField(opened)}
  ${
    isSignUp(opened) &&
    opened.member !== undefined &&
    html`<p>You are signed in as ${opened.member.account.email}: that session ends.</p>`
  }
`;

/** Whoever signs up has no account that another link could be mailed to. */
const another = (kind: ProofKind | undefined): Html =>
  kind === 'sign-up'
    ? html`<p>
        If you have used it, <a href="/account/sign-in">sign in</a>; else <a href="/account/sign-up">sign up</a> once
        more.
      </p>`
    : html`<p>
        <a href="/account/verify">Have another link mailed</a>, or <a href="/account/sign-up">sign up</a> once more
      </p>`;

/** `/account/verify/{token}`, and `/account/verify`, to have the link mailed once more */
export const verifyPages = (dependencies: VerifyPagesDependencies): Route[] => {
  const { verifyEmail, completeSignUp, deviceTokens, cookies, ...given } = dependencies;

  const signUp = async (call: Call, used: UsedLink): Promise<PageAnswer> => {
    const command = {
      token: used.token,
      ...passwordsOf(used),
      ...nameOf(used),
      device: deviceOf(call),
      signal: call.signal,
    };
    const { headers } = await cookies.deliver(call, 'cookies', async () =>
      answerSignedIn(await completeSignUp(call.cause, command), deviceTokens),
    );
    return { seeOther: withNotice('/account/security', 'email-verified'), headers };
  };

  const work = async (call: Call, used: UsedLink): Promise<PageAnswer> => {
    if (isSignUp(used)) return signUp(call, used);
    const { token, member } = used;
    const { cause, clientIp: ip, signal } = call;
    await verifyEmail(cause, { token, callerId: member?.claims.sub, ip, signal, ...passwordsOf(used) });
    const deviceToken = deviceTokens.issue(used.proof.emailKey, knownByLink(member?.claims, used.proof.accountId));
    const headers = { 'Set-Cookie': cookies.deviceCookieOf(deviceToken) };
    return { seeOther: withNotice(isOwn(used) ? '/account/security' : '/account/sign-in', 'email-verified'), headers };
  };

  return [
    ...linkRequestPages(
      { ...given, cookies },
      {
        ...{ kind: 'verify-email', name: 'verify', operationId: 'sendVerification' },
        title: 'Verify your address',
        explanation: 'The link in the mail says that the address is yours.',
      },
    ),
    ...linkPages(given, {
      ...{ kinds: ['verify-email', 'sign-up'], name: 'verify', operationId: 'verifyEmail' },
      title: (opened) => (isSignUp(opened) ? 'Finish signing up' : 'Verify your address'),
      ...{ body, button: 'Yes, go on' },
      another,
      words: { 'invalid-credentials': 'The password is not right.' },
      work,
    }),
  ];
};
