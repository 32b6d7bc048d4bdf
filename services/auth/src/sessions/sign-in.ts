import type { Cause } from '@causeway/contracts';

import type { AccountQueries } from '../accounts/account.model.ts';
import type { EmailAddress } from '../accounts/email-address.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { RenewHash } from '../passwords/renew-hash.ts';
import type { CompleteSignIn, MfaRequired, SignedIn } from './complete-sign-in.ts';
import { invalidCredentials } from './sessions.errors.ts';
import type { Device } from './start-session.ts';

/** What {@link createSignIn} is given. */
export interface SignInDependencies {
  readonly guard: Pick<GuessGuard, 'attempt'>;
  readonly knownDevices: Pick<KnownDevices, 'find'>;
  readonly accounts: Pick<AccountQueries, 'byEmail'>;
  readonly passwords: Pick<PasswordHasher, 'matches'>;
  readonly renewHash: RenewHash;
  readonly completeSignIn: CompleteSignIn;
}

/** What somebody signs in with. */
export interface SignInCommand {
  readonly email: EmailAddress;
  readonly password: string;
  readonly device: Device;
  /** What an earlier sign-in from here left. */
  readonly deviceToken?: string | undefined;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

/**
 * Signs somebody in with a password, where that is enough.
 *
 * @returns the use case; it throws faults `invalid-credentials`, `account-disabled`, `email-unverified`, `too-many-attempts` before anything is looked at, and
 *   `unavailable` where too many sign in at once
 */
export const createSignIn = (dependencies: SignInDependencies) => {
  const { guard, knownDevices, accounts, passwords, renewHash, completeSignIn } = dependencies;
  const enter = async (cause: Cause, command: SignInCommand): Promise<SignedIn | MfaRequired> => {
    const { email, password, device, signal } = command;
    const account = await accounts.byEmail(email.key);
    const right = await passwords.matches(account?.passwordHash, password, signal);
    if (account === undefined || !right) throw invalidCredentials();
    const entered = await completeSignIn(cause, { account, method: 'password', amr: ['pwd'], device });
    const own: Cause = { ...cause, principal: { type: 'app_user', id: account._id } };
    const renewed = await renewHash(own, account, password, signal);
    return { ...entered, events: [...entered.events, ...renewed] };
  };
  return async (cause: Cause, command: SignInCommand): Promise<SignedIn | MfaRequired> => {
    const { email, device: from, deviceToken } = command;
    const known = await knownDevices.find(deviceToken, email.key);
    const devices = known === undefined ? [] : [known];
    const guess = { emailKey: email.key, path: 'password', ip: from.ip, devices } as const;
    return guard.attempt(
      guess,
      () => enter(cause, command),
      // Half the way forgives nothing: whoever has the password alone could guess codes for ever.
      ({ status }) => status === 'signed-in',
    );
  };
};
