import { faults } from '@causeway/contracts';
import { definePage } from '@causeway/service';

import type { EmailChanges } from '../accounts/email/email-changes.wiring.ts';
import type { Accounts } from '../accounts/accounts.wiring.ts';
import type { Audit } from '../audit/audit.wiring.ts';
import type { Factors } from '../factors/factors.wiring.ts';
import type { Feature, Ground } from '../feature.ts';
import type { Mail } from '../mail/mail.wiring.ts';
import type { PasswordChanges } from '../passwords/password-changes.wiring.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import type { Sessions } from '../sessions/sessions.wiring.ts';
import type { SignInLinks } from '../sessions/sign-in-links.wiring.ts';
import { stepUpRules } from '../sessions/step-up-rules.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { activityPages } from './activity.page.ts';
import { authenticatorPages } from './authenticator.page.ts';
import { emailPages } from './email.page.ts';
import { factorPages } from './factor.page.ts';
import { createWhoIsIt } from './known-visitor.ts';
import { layout, problemPage } from './layout.ts';
import { mailboxPages } from './mailbox.page.ts';
import { createMembers } from './members.ts';
import { passkeyScriptRoute } from './passkey-button.ts';
import { passwordPages } from './password.page.ts';
import { recoveryCodesPages } from './recovery-codes.page.ts';
import { resetPages } from './reset.page.ts';
import { secondFactorPages } from './second-factor.page.ts';
import { securityPages } from './security.page.ts';
import { sessionsPages } from './sessions.page.ts';
import { signInLinkPages } from './sign-in-link.page.ts';
import { signInPages } from './sign-in.page.ts';
import { signUpPages } from './sign-up.page.ts';
import { stepUpPages } from './step-up.page.ts';
import { styleRoute } from './style.route.ts';
import { takeBackPages } from './take-back.page.ts';
import { undoPages } from './undo.page.ts';
import { verifyPages } from './verify.page.ts';
import { unlockPages } from './unlock.page.ts';
import { createVisitors } from './visitors.ts';

/** Under a path that is no page of ours. */
const noSuchPage = definePage({
  method: 'get',
  path: '/account/{page}',
  operationId: 'noSuchPage',
  summary: 'Says that there is no such page',
  access: 'anonymous',
  layout,
  problemPage,
  handle: () => {
    throw faults.notFound();
  },
});

type PagesGround = Pick<Ground, 'config' | 'masterKey' | 'accountQueries' | 'factorQueries' | 'sessionQueries' | 'now'>;

interface Others {
  readonly sessions: Sessions;
  readonly accounts: Pick<Accounts, 'signUp' | 'completeSignUp' | 'verifyEmail'>;
  readonly proofs: Pick<Proofs, 'askForLink' | 'useProof'>;
  readonly signInLinks: Pick<SignInLinks, 'redeemLink'>;
  readonly emailChanges: Pick<EmailChanges, 'confirmEmailChange' | 'undoEmailChange'>;
  readonly passwordChanges: Pick<PasswordChanges, 'resetPassword' | 'changePassword'>;
  readonly tokens: Pick<TokenMakers, 'identity' | 'deviceTokens'>;
  readonly factors: Factors;
  readonly guessing: Pick<Guessing, 'unlock' | 'knownDevices'>;
  readonly audit: Pick<Audit, 'readAudit' | 'noteReading'>;
  readonly mail: Pick<Mail, 'mailbox'>;
}

/** Pages for people, without scripts: each calls the use case that the interface has for programs. */
export function createPages(
  { config, masterKey, accountQueries: accounts, factorQueries, sessionQueries, now }: PagesGround,
  {
    sessions,
    accounts: { signUp, completeSignUp, verifyEmail },
    proofs,
    signInLinks,
    emailChanges: { confirmEmailChange, undoEmailChange },
    passwordChanges,
    tokens,
    guessing: { unlock, knownDevices },
    factors,
    audit: { readAudit, noteReading },
    mail: { mailbox },
  }: Others,
) {
  const { publicUrl } = config;
  const { signIn, secondFactor, refresh, peekSession, endSession, endOtherSessions, stepUp, cookies } = sessions;
  const { identity, deviceTokens } = tokens;
  const visitors = createVisitors({ publicUrl, secret: Buffer.from(masterKey.derive('form-token')) });
  const whoIsIt = createWhoIsIt({ publicUrl, identity, refresh, peekSession, cookies });
  const members = createMembers({ publicUrl, visitors, whoIsIt, accounts, cookies, now });
  const { recent, surely } = stepUpRules(config);
  const { askForLink, useProof } = proofs;
  const linking = { publicUrl, visitors, members, askForLink, useProof };
  return {
    routes: [
      styleRoute,
      passkeyScriptRoute,
      ...signInPages({ publicUrl, visitors, signIn, cookies, deviceTokens }),
      ...secondFactorPages({ publicUrl, visitors, secondFactor, cookies, knownDevices }),
      ...signUpPages({ publicUrl, visitors, signUp, cookies, isByMail: config.emailVerification === 'required' }),
      ...verifyPages({ ...linking, verifyEmail, completeSignUp, deviceTokens, cookies }),
      ...resetPages({ ...linking, ...passwordChanges, knownDevices, cookies }),
      ...signInLinkPages({ ...linking, ...signInLinks, deviceTokens, cookies }),
      ...emailPages({ ...linking, confirmEmailChange, deviceTokens, cookies, recent }),
      ...undoPages({ ...linking, undoEmailChange }),
      ...takeBackPages({ ...linking, ...factors }),
      ...passwordPages({ members, accounts, ...passwordChanges, cookies }),
      ...securityPages({ hasMailbox: config.mailbox, members, accounts, factorQueries, endSession, cookies }),
      ...stepUpPages({ publicUrl, members, accounts, factorQueries, stepUp, askForLink, cookies }),
      ...sessionsPages({ members, sessionQueries, endSession, endOtherSessions, now }),
      ...activityPages({ members, readAudit }),
      ...authenticatorPages({ members, ...factors, cookies, recent }),
      ...recoveryCodesPages({ members, ...factors, recent: surely }),
      ...factorPages({ members, accounts, factorQueries, ...factors, recent, surely }),
      ...(config.mailbox ? mailboxPages({ members, mailbox, noteReading, recent }) : []),
      ...unlockPages({ ...linking, unlock, knownDevices, cookies }),
      noSuchPage,
    ],
  } satisfies Feature;
}
