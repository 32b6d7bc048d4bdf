import { newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey, stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';

import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { AccountDocument, AccountQueries, Role } from './account.model.ts';
import { created, updated } from './accounts.events.ts';
import type { EmailAddress } from './email-address.ts';

const administratorRoles: readonly Role[] = ['admin', 'member'];

/** What {@link ensureFirstAdministrator} is given. */
export interface FirstAdministratorDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'create' | 'update'>;
  readonly accountQueries: Pick<AccountQueries, 'byEmail'>;
  readonly passwords: Pick<PasswordHasher, 'hash'>;
}

/** Who it is, by the operator's settings. */
export interface FirstAdministrator {
  readonly email: EmailAddress;
  readonly password: string;
}

/** What was done: nothing where the account is there and has its roles. */
export type Ensured = 'created' | 'roles-added' | 'unchanged';

/**
 * Sees to it that the account which the settings name is there and is an administrator's. Safe to run at every start, in all
 * replicas at once. The password of an account that is there is left alone: its owner may have changed it.
 *
 * @param cause - of the system
 */
export async function ensureFirstAdministrator(
  { accounts, accountQueries, passwords }: FirstAdministratorDependencies,
  cause: Cause,
  { email, password }: FirstAdministrator,
): Promise<Ensured> {
  const account = await accountQueries.byEmail(email.key);
  if (account === undefined) {
    const _id = newId('usr');
    const state = {
      email: email.address,
      emailKey: email.key,
      // The operator vouches for the address.
      emailVerified: true,
      roles: administratorRoles,
      passwordHash: await passwords.hash(password),
    };
    try {
      await accounts.create(cause, { _id, state, event: created({ _id, ...state }, 'Administrator') });
      return 'created';
    } catch (error) {
      if (!(error instanceof DuplicateKey)) throw error;
      // Another replica, or the person, was faster: what is there now gets its roles.
      return ensureFirstAdministrator({ accounts, accountQueries, passwords }, cause, { email, password });
    }
  }
  const write = await accounts.update(cause, account._id, (current) => {
    const missing = administratorRoles.filter((role) => !current.roles.includes(role));
    if (missing.length === 0) return undefined;
    const roles = [...current.roles, ...missing];
    return { state: { ...stateOf(current), roles }, event: updated({ ...current, roles }, ['roles']) };
  });
  return write?.event === undefined ? 'unchanged' : 'roles-added';
}
