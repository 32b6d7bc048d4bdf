import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { AccountQueries } from '../accounts/account.model.ts';
import { passkeyInvalid } from '../factors/factors.errors.ts';
import type { PasskeyAnswer } from '../factors/passkeys/passkey-bodies.ts';
import type { OpenPasskey } from '../factors/passkeys/use-passkey.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import type { CompleteSignIn, SignedIn } from './complete-sign-in.ts';
import type { Device } from './start-session.ts';

/** What {@link createPasskeySignIn} is given. */
export interface PasskeySignInDependencies {
  readonly accounts: Pick<AccountQueries, 'byId'>;
  readonly openPasskey: OpenPasskey;
  readonly guard: Pick<GuessGuard, 'clear'>;
  readonly knownDevices: Pick<KnownDevices, 'confirm'>;
  readonly completeSignIn: CompleteSignIn;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/** What somebody signs in with, and from where. */
export interface PasskeySignInCommand {
  readonly answer: PasskeyAnswer;
  readonly device: Device;
}

/**
 * Signs somebody in with a passkey alone: it has verified who holds it. It is not counted as a guess, since nobody can guess a signature;
 * whoever is locked out by guesses of others gets in by it.
 *
 * @returns the use case; it throws faults `passkey-invalid`, `account-disabled`, `email-unverified`, and `invalid-credentials` where the account has changed
 *   meanwhile
 */
export const createPasskeySignIn =
  ({ accounts, openPasskey, guard, knownDevices, completeSignIn, transaction }: PasskeySignInDependencies) =>
  async (cause: Cause, { answer, device }: PasskeySignInCommand): Promise<SignedIn> => {
    const { accountId, take } = await openPasskey(cause, answer);
    // Before it is taken: whoever removes the passkey after this ends the session too.
    const account = await accounts.byId(accountId);
    if (account === undefined) throw passkeyInvalid();
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const { amr, event } = await transaction((session) => take(own, session));
    const entered = await completeSignIn(own, { account, method: 'passkey', amr, device });
    // It is all that anybody is asked for.
    if (entered.status !== 'signed-in') throw passkeyInvalid();
    await guard.clear(account.emailKey);
    await knownDevices.confirm(account.emailKey);
    return { ...entered, events: [event, ...entered.events] };
  };
