import type { Cause } from '@causeway/contracts';
import type { Events } from '@causeway/events';

import type { ClaimAccount } from '../accounts/claim-account.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import { linksOfCredentials } from '../proofs/proof-kinds.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import type { WithdrawProofs } from '../proofs/withdraw-proofs.ts';
import type { TellEnding } from '../revocations/tell-ending.ts';
import { accountDisabled } from '../sessions/sessions.errors.ts';
import type { JudgePassword } from './judge-password.ts';
import type { PasswordHasher } from './password-hasher.ts';

/** What {@link createResetPassword} is given. */
export interface ResetPasswordDependencies {
  readonly useProof: UseProof;
  readonly claimAccount: ClaimAccount;
  readonly withdrawProofs: WithdrawProofs;
  readonly judgePassword: JudgePassword;
  readonly passwords: Pick<PasswordHasher, 'hash'>;
  readonly guard: Pick<GuessGuard, 'clear'>;
  readonly tellEnding: TellEnding;
  readonly transaction: Events['transaction'];
}

/** A link, and the password that its reader chooses. */
export interface ResetPasswordCommand {
  readonly token: string;
  readonly password: string;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface ResetPassword {
  /** Whose account it is: its device is known from now on. */
  readonly emailKey: string;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

/**
 * Sets a new password by a link that was mailed. Nobody is signed in by it, and a second factor is asked for as ever. All sessions end in the
 * write that has the password, and other links of the account open nothing any more. The account is the link's, whatever else a caller says.
 *
 * @returns the use case; it throws faults `link-invalid`; `password-common`, `account-disabled` and `unavailable` (the link stays)
 */
export const createResetPassword = (dependencies: ResetPasswordDependencies) => {
  const { useProof, claimAccount, withdrawProofs, judgePassword, passwords, guard, tellEnding, transaction } =
    dependencies;
  return async (cause: Cause, { token, password, signal }: ResetPasswordCommand): Promise<ResetPassword> => {
    // First the link: whoever has none costs no hash.
    const { accountId, emailKey, email } = await useProof.peek(token, 'reset-password');
    await judgePassword(password, { email }, signal);
    const passwordHash = await passwords.hash(password, signal);
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const { claimed, events } = await transaction(async (session) => {
      const { event } = await useProof.use(own, token, 'reset-password', session);
      const of = await claimAccount(own, { accountId, emailKey, passwordHash }, session);
      if (of.account.disabledAt !== undefined) throw accountDisabled();
      const withdrawn = { accountId, kinds: linksOfCredentials, reason: 'password-changed' };
      await withdrawProofs(own, withdrawn, session);
      return { claimed: of, events: [event, ...of.events] };
    });
    await tellEnding(accountId, claimed.event);
    // With a second factor, guesses at that are among what would be forgiven.
    if (!claimed.account.hasSecondFactor) await guard.clear(emailKey);
    return { emailKey, events };
  };
};
