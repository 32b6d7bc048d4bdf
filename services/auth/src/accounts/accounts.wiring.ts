import type { Handler } from '@causeway/events';
import { bySystem } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import type { Passwords } from '../passwords/passwords.wiring.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import type { RequestProof } from '../proofs/request-proof.ts';
import type { Sessions } from '../sessions/sessions.wiring.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { createCompleteSignUp } from './complete-sign-up.ts';
import { createDemandOwner } from './demand-owner.ts';
import { ensureFirstAdministrator } from './first-administrator.ts';
import { readAccountRoute } from './read-account.route.ts';
import { createSignUp } from './sign-up.ts';
import { createSignUpByMail } from './sign-up-by-mail.ts';
import { requestVerification } from './request-verification.handler.ts';
import { answerSignedUp, answerVerificationSent, signUpRoute } from './sign-up.route.ts';
import type { SignUp } from './sign-up.route.ts';
import { createVerifyEmail } from './verify-email.ts';
import { sendVerificationRoute, verifyEmailRoute } from './verify-email.route.ts';

type AccountsGround = Pick<Ground, 'config' | 'logger' | 'events' | 'accounts' | 'accountQueries' | 'idempotency'>;

/** Signing up, and reading one's account; the first administrator. */
export function createAccounts(
  { config, logger, events, accounts, accountQueries, idempotency }: AccountsGround,
  {
    passwords: { passwords, judgePassword },
    sessions: { startSession, sessionTokens, cookies },
    tokens: { deviceTokens },
    guessing: { guard },
    proofs: { requestProof, admitAsker, askForLink, useProof, withdrawSignUps },
  }: {
    readonly passwords: Passwords;
    readonly sessions: Pick<Sessions, 'startSession' | 'sessionTokens' | 'cookies'>;
    readonly tokens: Pick<TokenMakers, 'deviceTokens'>;
    readonly guessing: Guessing;
    readonly proofs: Pick<Proofs, 'requestProof' | 'admitAsker' | 'askForLink' | 'useProof' | 'withdrawSignUps'>;
  },
) {
  const { transaction } = events;
  const signingUp = { passwords, judgePassword, admitAsker, idempotency, transaction };
  const signUpAtOnce = createSignUp({
    ...{ ...signingUp, accounts, accountQueries, startSession, sessionTokens },
    answer: (signedIn) => answerSignedUp(signedIn, deviceTokens),
  });
  const signUpByMail = createSignUpByMail({ ...signingUp, requestProof, answer: answerVerificationSent });
  const signUp: SignUp = config.emailVerification === 'required' ? signUpByMail : signUpAtOnce;
  const completeSignUp = createCompleteSignUp({
    ...{
      accounts,
      passwords,
      judgePassword,
      guard,
      useProof,
      withdrawSignUps,
      startSession,
      sessionTokens,
      transaction,
    },
  });
  const demandOwner = createDemandOwner({ accountQueries, passwords, guard });
  const verifyEmail = createVerifyEmail({ accounts, demandOwner, useProof, transaction });
  return {
    ...{ signUp, completeSignUp, verifyEmail, demandOwner },
    ensureIndexes: () => accountQueries.ensureIndexes(),
    routes: [
      signUpRoute({ signUp, cookies }),
      readAccountRoute({ accounts: accountQueries }),
      sendVerificationRoute({ askForLink, cookies }),
      verifyEmailRoute({ useProof, verifyEmail, completeSignUp, cookies, deviceTokens }),
    ],
    async begin() {
      if (config.firstAdministrator === undefined) return;
      const given = { accounts, accountQueries, passwords };
      const outcome = await ensureFirstAdministrator(given, bySystem(), config.firstAdministrator);
      logger.info({ outcome }, 'the account of the first administrator is there');
    },
  } satisfies Feature;
}

/** What {@link createAccounts} gives. */
export type Accounts = ReturnType<typeof createAccounts>;

/** What is done about accounts that come into being. */
export const accountHandlers = (
  late: () => { readonly proofs: { readonly requestProof: RequestProof } },
): Handler[] => [requestVerification(() => late().proofs)];
