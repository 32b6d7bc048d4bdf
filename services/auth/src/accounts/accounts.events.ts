import { accountCreated, accountDeleted, accountUpdated } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { Account } from './account.model.ts';

const facts = ({ _id, email, emailVerified, roles }: Pick<Account, '_id' | 'email' | 'emailVerified' | 'roles'>) => ({
  accountId: _id,
  email,
  emailVerified,
  roles: [...roles],
});

/**
 * @param account - that comes into being
 * @param name - what its owner wants to be called; kept in their profile, not here
 */
export const created = (account: Parameters<typeof facts>[0], name: string | undefined): EventDraft =>
  draft(accountCreated, { ...facts(account), ...(name === undefined ? {} : { name }) });

/**
 * @param account - as it is now
 * @param changed - the names of what has changed, never a secret's value
 */
export const updated = (account: Parameters<typeof facts>[0], changed: readonly string[]): EventDraft =>
  draft(accountUpdated, { ...facts(account), changed: [...changed] });

/** An account is gone: its owner is being erased. */
export const deleted = (accountId: string): EventDraft => draft(accountDeleted, { accountId });
