import type { Cause } from '@causeway/contracts';
import { stateOf, type RecordedCollection } from '@causeway/events';

import type { AccountDocument, Credentials } from '../accounts/account.model.ts';
import { updated } from '../accounts/accounts.events.ts';
import type { PasswordHasher } from './password-hasher.ts';

/** What {@link createRenewHash} is given. */
export interface RenewHashDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly passwords: Pick<PasswordHasher, 'hash' | 'isOutdated'>;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
}

/**
 * Hashes a password anew whose hash was made with less work than is asked for by now: only its owner, who has just typed it, makes that
 * possible.
 *
 * @param account - as it was when the password was found to be right
 * @param password - the right one, as typed
 * @returns ids of the events that were recorded. It never rejects: whoever has the right password signs in, and the next time will do
 */
export type RenewHash = (
  cause: Cause,
  account: Pick<Credentials, '_id' | 'passwordHash'>,
  password: string,
  signal?: AbortSignal,
) => Promise<readonly string[]>;

/** Makes it. */
export const createRenewHash =
  ({ accounts, passwords, logger }: RenewHashDependencies): RenewHash =>
  async (cause, { _id, passwordHash: old }, password, signal) => {
    if (old === undefined || !passwords.isOutdated(old)) return [];
    try {
      const passwordHash = await passwords.hash(password, signal);
      const write = await accounts.update(cause, _id, (current) => {
        // Somebody has changed it meanwhile: the old password must not come back.
        if (current.passwordHash !== old) return undefined;
        return { state: { ...stateOf(current), passwordHash }, event: updated(current, ['passwordParameters']) };
      });
      return write?.event === undefined ? [] : [write.event.id];
    } catch (error) {
      logger.warn({ error, accountId: _id }, 'a password could not be hashed anew; the next sign-in tries again');
      return [];
    }
  };
