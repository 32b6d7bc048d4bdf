import { accountCreated, accountDeleted, accountUpdated } from '@causeway/contracts';
import type { DataOf } from '@causeway/contracts';
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

/** What an update says beside the facts, where there is something to say. */
export type MoreOfUpdate = Partial<Omit<DataOf<typeof accountUpdated>, keyof ReturnType<typeof facts> | 'changed'>>;

/**
 * @param account - as it is now
 * @param changed - the names of what has changed, never a secret's value
 * @param more - such as what ends with it, from `raiseAccessVersion`
 */
export const updated = (
  account: Parameters<typeof facts>[0],
  changed: readonly string[],
  { accessVersion, sessionsFrom, previousEmail, disabled, reason, by }: MoreOfUpdate = {},
): EventDraft =>
  draft(accountUpdated, {
    ...facts(account),
    changed: [...changed],
    ...(accessVersion !== undefined && { accessVersion }),
    ...(sessionsFrom !== undefined && { sessionsFrom }),
    ...(previousEmail !== undefined && { previousEmail }),
    ...(disabled !== undefined && { disabled }),
    ...(reason !== undefined && { reason }),
    ...(by !== undefined && { by }),
  });

/** An account is gone: its owner is being erased. */
export const deleted = (accountId: string): EventDraft => draft(accountDeleted, { accountId });
