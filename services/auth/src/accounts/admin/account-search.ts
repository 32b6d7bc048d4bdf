import { isId } from '@causeway/contracts';
import type { Filter } from 'mongodb';

import type { AccountDocument, Role } from '../account.model.ts';
import { parseEmailAddress } from '../email-address.ts';

/** Which accounts are asked for. */
export interface AccountQuestion {
  /** An account's id, or what its address begins with. */
  readonly search?: string | undefined;
  readonly status?: 'active' | 'disabled' | undefined;
  readonly role?: Role | undefined;
}

/** Where a page has ended: of those by address, or of the newest first. */
export type AccountPlace = { readonly emailKey: string } | { readonly createdAt: number; readonly id: string };

/** A question as MongoDB is asked it. */
export interface AccountSearch {
  readonly filter: Filter<AccountDocument>;
  readonly sort: { readonly emailKey: 1 } | { readonly createdAt: -1; readonly _id: -1 };
  /** Of the last account of a page. */
  placeOf(account: Pick<AccountDocument, '_id' | 'emailKey' | 'createdAt'>): AccountPlace;
}

/** After everything that begins with a text: MongoDB compares UTF-8, byte by byte, and nothing in it is greater. */
const afterAll = '\u{10ffff}';

/** What is typed of an address, as addresses are compared; of a part of one the domain stays as it is. */
const keyPrefix = (text: string): string =>
  parseEmailAddress(text)?.key ?? text.normalize('NFKC').toLowerCase().normalize('NFKC');

/**
 * Makes a question one for MongoDB, by ranges of its indexes: nothing that is typed is a pattern.
 *
 * @param after - where the page before has ended
 */
export function searchOf({ search, status, role }: AccountQuestion, after?: AccountPlace): AccountSearch {
  const such: Filter<AccountDocument> = {
    ...(status !== undefined && { disabledAt: { $exists: status === 'disabled' } }),
    ...(role !== undefined && { roles: role }),
    ...(search !== undefined && isId('usr', search) && { _id: search }),
  };
  if (search !== undefined && !isId('usr', search)) {
    const prefix = keyPrefix(search);
    const from = after !== undefined && 'emailKey' in after ? { $gt: after.emailKey } : { $gte: prefix };
    return {
      filter: { ...such, emailKey: { ...from, $lt: `${prefix}${afterAll}` } },
      sort: { emailKey: 1 },
      placeOf: ({ emailKey }) => ({ emailKey }),
    };
  }
  const sort = { createdAt: -1, _id: -1 } as const;
  const placeOf: AccountSearch['placeOf'] = ({ createdAt, _id: id }) => ({ createdAt: createdAt.getTime(), id });
  if (after === undefined || !('id' in after)) return { filter: such, sort, placeOf };
  const createdAt = new Date(after.createdAt);
  const later = [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: after.id } }];
  return { filter: { $and: [such, { createdAt: { $lte: createdAt }, $or: later }] }, sort, placeOf };
}
