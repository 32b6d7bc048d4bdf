import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Events, RecordedCollection } from '@causeway/events';

import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { OwnedProof, UseProof } from '../proofs/use-proof.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import type { AccountDocument, AccountQueries } from './account.model.ts';
import { updated } from './accounts.events.ts';

/** What {@link createVerifyEmail} is given. */
export interface VerifyEmailDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly accountQueries: Pick<AccountQueries, 'credentialsOf'>;
  readonly passwords: Pick<PasswordHasher, 'matches'>;
  readonly guard: Pick<GuessGuard, 'attempt'>;
  readonly useProof: UseProof;
  readonly transaction: Events['transaction'];
}

/** A link, and who uses it. */
export interface VerifyEmailCommand {
  readonly token: string;
  /** Whose access token came with the call. */
  readonly callerId?: string | undefined;
  readonly password?: string | undefined;
  readonly ip?: string | undefined;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

/**
 * Notes that an address is its account's owner's. The link says who reads the mail, and not who has made the account: somebody else may have
 * said the address, and waits for it to be verified. So it takes the account's session or its password too.
 *
 * @returns the use case, which gives ids of the events that were recorded; it throws faults `link-invalid`, `invalid-credentials`,
 *   `too-many-attempts`, and `unavailable` where too many passwords wait
 */
export function createVerifyEmail(dependencies: VerifyEmailDependencies) {
  const { accounts, accountQueries, passwords, guard, useProof, transaction } = dependencies;

  const demandPassword = async ({ accountId, emailKey }: OwnedProof, { password, ip, signal }: VerifyEmailCommand) => {
    if (password === undefined)
      throw invalidCredentials({ detail: 'Sign in to the account, or send its password too.' });
    const look = async (): Promise<boolean> => {
      const account = await accountQueries.credentialsOf(accountId);
      if (!(await passwords.matches(account?.passwordHash, password, signal))) throw invalidCredentials();
      return account?.hasSecondFactor !== true;
    };
    await guard.attempt({ emailKey, path: 'password', ip }, look, (isAll) => isAll);
  };

  return async (cause: Cause, command: VerifyEmailCommand): Promise<readonly string[]> => {
    const { token, callerId } = command;
    const proof = await useProof.peek(token, 'verify-email');
    const { accountId, emailKey } = proof;
    if (callerId !== accountId) await demandPassword(proof, command);
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    return transaction(async (session) => {
      const { event } = await useProof.use(own, token, 'verify-email', session);
      const write = await accounts.update(
        own,
        accountId,
        (account) => {
          // It has another address by now.
          if (account.emailKey !== emailKey) throw linkInvalid();
          if (account.emailVerified) return undefined;
          const state = { ...stateOf(account), emailVerified: true };
          return { state, event: updated({ ...account, ...state }, ['emailVerified']) };
        },
        { session },
      );
      if (write === undefined) throw linkInvalid();
      return [event, ...(write.event === undefined ? [] : [write.event.id])];
    });
  };
}

/** What {@link createVerifyEmail} gives. */
export type VerifyEmail = ReturnType<typeof createVerifyEmail>;
