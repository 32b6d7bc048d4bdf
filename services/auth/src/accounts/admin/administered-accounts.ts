import { readAfter, readAfterTimeoutMs } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { MongoClient, Timestamp } from 'mongodb';

import { accountOf } from '../account.model.ts';
import type { AccountDocument } from '../account.model.ts';
import { searchOf } from './account-search.ts';
import type { AccountPlace, AccountQuestion } from './account-search.ts';
import type { AdministeredAccount } from './administered-account.ts';

/** Some of the accounts that were asked for. */
export interface AccountPage {
  readonly accounts: readonly AdministeredAccount[];
  /** Where the next page begins; undefined where there is none. */
  readonly next: AccountPlace | undefined;
}

/** How to list accounts. */
export interface AccountPageOptions {
  readonly place: AccountPlace | undefined;
  readonly limit: number;
  /** Nothing older is read. */
  readonly after: Timestamp | undefined;
}

/** What administrators read of accounts. */
export interface AdministeredAccounts {
  /** @param after - nothing older is read */
  byId(id: string, after?: Timestamp): Promise<AdministeredAccount | undefined>;
  /** By address where one is searched for, else the newest first. */
  list(question: AccountQuestion, options: AccountPageOptions): Promise<AccountPage>;
}

const projection = {
  ...{ email: 1, emailKey: 1, emailVerified: 1, roles: 1, accessVersion: 1, sessionsFrom: 1, hasSecondFactor: 1 },
  ...{ disabledAt: 1, disabledBy: 1, revision: 1, createdAt: 1, updatedAt: 1 },
} as const;

/** Makes the reads. */
export const administeredAccounts = ({
  client,
  accounts: { native },
}: {
  readonly client: MongoClient;
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
}): AdministeredAccounts => ({
  byId: (id, after) =>
    readAfter(client, after, async (options) => {
      const row = await native.findOne({ _id: id }, { ...options, projection, maxTimeMS: readAfterTimeoutMs });
      return row === null ? undefined : accountOf(row);
    }),
  list: (question, { place, limit, after }) =>
    readAfter(client, after, async (options) => {
      const { filter, sort, placeOf } = searchOf(question, place);
      const found = native.find(filter, { ...options, projection, maxTimeMS: readAfterTimeoutMs });
      const rows = await found
        .sort(sort)
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { accounts: rows.slice(0, limit).map(accountOf), next: last && placeOf(last) };
    }),
});
