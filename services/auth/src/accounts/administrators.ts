import type { Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from './account.model.ts';
import { lastAdministrator } from './accounts.errors.ts';

/** What {@link createDemandAnotherAdministrator} is given. */
export interface AdministratorsDependencies {
  readonly events: Pick<Events, 'db'>;
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
}

/**
 * Sees to it, in the transaction in which an account ceases to administer, that another one goes on.
 *
 * @throws fault `last-administrator`
 */
export type DemandAnotherAdministrator = (accountId: string, session: ClientSession) => Promise<void>;

/**
 * Makes it. Of two last administrators who leave at once, each would see the other in a snapshot: they meet at a row that both write.
 */
export function createDemandAnotherAdministrator({
  events,
  accounts,
}: AdministratorsDependencies): DemandAnotherAdministrator {
  const gates = events.db.collection<{ _id: string; passed: number }>('gates');
  return async (accountId, session) => {
    await gates.updateOne({ _id: 'administrators' }, { $inc: { passed: 1 } }, { upsert: true, session });
    const another = { roles: 'admin' as const, _id: { $ne: accountId }, disabledAt: { $exists: false } };
    if ((await accounts.native.findOne(another, { session, projection: { _id: 1 } })) === null)
      throw lastAdministrator();
  };
}
