import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import type { AccountQueries } from './account.model.ts';

/** What {@link createDemandOwner} is given. */
export interface DemandOwnerDependencies {
  readonly accountQueries: Pick<AccountQueries, 'credentialsOf'>;
  readonly passwords: Pick<PasswordHasher, 'matches'>;
  readonly guard: Pick<GuessGuard, 'attempt'>;
}

/** Who uses a link. */
export interface LinkUser {
  /** Whose access token came with the call. */
  readonly callerId?: string | undefined;
  readonly password?: string | undefined;
  readonly ip?: string | undefined;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Demands the account's session, or its password, beside a link: that says who reads the mail of an address, and not whose the account is.
 *
 * @param proof - of the link: whose account it is, and the address that guesses are counted for where that is gone
 * @returns the hash that the password was held against, which may be void by the time of what follows; undefined where the session was enough
 * @throws faults `invalid-credentials`, `too-many-attempts`, and `unavailable` where too many passwords wait
 */
export type DemandOwner = (
  proof: { readonly accountId: string; readonly emailKey: string },
  user: LinkUser,
) => Promise<string | undefined>;

/** Makes it. */
export const createDemandOwner =
  ({ accountQueries, passwords, guard }: DemandOwnerDependencies): DemandOwner =>
  async ({ accountId, emailKey }, { callerId, password, ip, signal }) => {
    if (callerId === accountId) return undefined;
    if (password === undefined)
      throw invalidCredentials({ detail: 'Sign in to the account, or send its password too.' });
    const account = await accountQueries.credentialsOf(accountId);
    const look = async (): Promise<boolean> => {
      if (!(await passwords.matches(account?.passwordHash, password, signal))) throw invalidCredentials();
      return account?.hasSecondFactor !== true;
    };
    const guess = { emailKey: account?.emailKey ?? emailKey, path: 'password', ip } as const;
    await guard.attempt(guess, look, (isAll) => isAll);
    return account?.passwordHash;
  };
