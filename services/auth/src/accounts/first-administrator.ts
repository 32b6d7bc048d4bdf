import { newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey, stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';

import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { newAccount } from './account.model.ts';
import type { AccountDocument, AccountQueries, Credentials, Role } from './account.model.ts';
import { created, updated } from './accounts.events.ts';
import type { EmailAddress } from './email-address.ts';

const administratorRoles: readonly Role[] = ['admin', 'member'];

/** What {@link ensureFirstAdministrator} is given. */
export interface FirstAdministratorDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'create' | 'update'>;
  readonly accountQueries: Pick<AccountQueries, 'byAnyEmail'>;
  readonly passwords: PasswordHasher;
}

/** Who it is, by the operator's settings. */
export interface FirstAdministrator {
  readonly email: EmailAddress;
  readonly password: string;
}

/** What was done: nothing where the account is there and has its roles. */
export type Ensured = 'created' | 'roles-added' | 'unchanged';

/** There is an account of the address, and nothing says that it is the operator's. */
export class StrangersAccount extends Error {
  override readonly name = 'StrangersAccount';

  constructor() {
    super(
      'CAUSEWAY_ADMIN_EMAIL names the address of an account that somebody has signed up with, and CAUSEWAY_ADMIN_PASSWORD is not ' +
        'its password: it is not made an administrator. Name another address or, if the account is yours, set its password.',
    );
  }
}

/**
 * Whether an account may become the administrator's. Whoever signs up says any address: only one that is verified, as these
 * settings make it, or the password tell that it is the operator who has it.
 */
const isOperators = async (
  account: Credentials,
  password: string,
  passwords: Pick<PasswordHasher, 'matches'>,
): Promise<boolean> =>
  account.emailVerified || account.roles.includes('admin') || passwords.matches(account.passwordHash, password);

/**
 * Sees to it that the account which the settings name is there and is an administrator's. Safe to run at every start, in all
 * replicas at once. The password of an account that is there is left alone: its owner may have changed it.
 *
 * @param cause - of the system
 * @throws {@link StrangersAccount} where somebody else may have signed up with the address
 */
export async function ensureFirstAdministrator(
  { accounts, accountQueries, passwords }: FirstAdministratorDependencies,
  cause: Cause,
  { email, password }: FirstAdministrator,
): Promise<Ensured> {
  const account = await accountQueries.byAnyEmail(email.key);
  if (account === undefined) {
    const _id = newId('usr');
    const passwordHash = await passwords.hash(password);
    // The operator vouches for the address.
    const state = newAccount({ email, emailVerified: true, roles: administratorRoles, passwordHash });
    try {
      await accounts.create(cause, { _id, state, event: created({ _id, ...state }, 'Administrator') });
      return 'created';
    } catch (error) {
      if (!(error instanceof DuplicateKey)) throw error;
      // Another replica, or a person, was faster.
      return ensureFirstAdministrator({ accounts, accountQueries, passwords }, cause, { email, password });
    }
  }
  if (!(await isOperators(account, password, passwords))) throw new StrangersAccount();
  const write = await accounts.update(cause, account._id, (current) => {
    const missing = administratorRoles.filter((role) => !current.roles.includes(role));
    if (missing.length === 0) return undefined;
    const roles = [...current.roles, ...missing];
    return { state: { ...stateOf(current), roles }, event: updated({ ...current, roles }, ['roles']) };
  });
  return write?.event === undefined ? 'unchanged' : 'roles-added';
}
