import type { Cause } from '@causeway/contracts';

import type { Account, AccountQueries } from '../accounts/account.model.ts';
import type { EmailAddress } from '../accounts/email-address.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { RenewHash } from '../passwords/renew-hash.ts';
import type { EndSession } from './end-session.ts';
import { whyOver } from './session-admission.ts';
import type { SessionTokens, Tokens } from './session-tokens.ts';
import { accountDisabled, invalidCredentials } from './sessions.errors.ts';
import type { Device, StartSession } from './start-session.ts';

/** What {@link createSignIn} is given. */
export interface SignInDependencies {
  readonly guard: Pick<GuessGuard, 'attempt'>;
  readonly deviceTokens: Pick<DeviceTokens, 'isKnown'>;
  readonly accounts: Pick<AccountQueries, 'byEmail' | 'byId'>;
  readonly passwords: Pick<PasswordHasher, 'matches'>;
  readonly renewHash: RenewHash;
  readonly startSession: StartSession;
  readonly endSession: EndSession;
  readonly sessionTokens: SessionTokens;
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

/** What came of signing in. */
export interface SignedIn {
  readonly account: Account;
  readonly tokens: Tokens;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

/**
 * Signs somebody in with a password.
 *
 * @returns the use case; it throws faults `invalid-credentials`, `account-disabled`, `too-many-attempts` before anything is looked at, and
 *   `unavailable` where too many sign in at once
 */
export const createSignIn = (dependencies: SignInDependencies) => {
  const { guard, deviceTokens, accounts, passwords, renewHash, startSession, endSession, sessionTokens } = dependencies;
  const enter = async (cause: Cause, { email, password, device, signal }: SignInCommand): Promise<SignedIn> => {
    const account = await accounts.byEmail(email.key);
    const right = await passwords.matches(account?.passwordHash, password, signal);
    if (account === undefined || !right) throw invalidCredentials();
    // Told to nobody but its owner.
    if (account.disabledAt !== undefined) throw accountDisabled();
    const own: Cause = { ...cause, principal: { type: 'app_user', id: account._id } };
    const { document, event } = await startSession(own, { account, method: 'password', amr: ['pwd'], device });
    // An erasure that commits after this read finds the session; one that was before is seen by it, as is a change of the password.
    const current = await accounts.byId(account._id);
    const reason = current && whyOver(current, document);
    if (current === undefined || reason !== undefined) {
      await endSession(own, { sessionId: document._id, reason: reason ?? 'revoked' });
      throw invalidCredentials();
    }
    const renewed = await renewHash(own, account, password, signal);
    // As it is now: rights that were lost while the password was looked at are in no token.
    return { account: current, tokens: await sessionTokens(current, document), events: [event.id, ...renewed] };
  };
  return (cause: Cause, command: SignInCommand): Promise<SignedIn> => {
    const { email, device: from, deviceToken } = command;
    const device = deviceTokens.isKnown(deviceToken, email.key) ? deviceToken : undefined;
    const guess = { emailKey: email.key, path: 'password', ip: from.ip, device } as const;
    return guard.attempt(
      guess,
      () => enter(cause, command),
      () => true,
    );
  };
};
