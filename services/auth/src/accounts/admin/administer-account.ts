import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, IfMatch, RecordedCollection } from '@causeway/events';
import type { RevocationTeller } from '@causeway/service';

import { endingOf } from '../../revocations/ending-of.ts';
import { accountOf } from '../account.model.ts';
import type { AccountDocument } from '../account.model.ts';
import type { DemandAnotherAdministrator } from '../administrators.ts';
import { administers } from './account-decisions.ts';
import type { AccountDecision } from './account-decisions.ts';
import type { AdministeredAccount } from './administered-account.ts';

/** What {@link createAdministerAccount} is given. */
export interface AdministerAccountDependencies {
  readonly events: Pick<Events, 'transaction'>;
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly demandAnotherAdministrator: DemandAnotherAdministrator;
  readonly teller: Pick<RevocationTeller, 'tell'>;
  readonly now: () => Date;
}

/** Which account is changed, and how. */
export interface AdministerAccountCommand {
  readonly accountId: string;
  readonly ifMatch: IfMatch | undefined;
  readonly decide: AccountDecision;
}

/** An account as it is then. */
export interface Administered {
  readonly account: AdministeredAccount;
  /** Of the event; undefined where it was so already. */
  readonly eventId: string | undefined;
}

/** Has an administrator's decision about an account carried out. */
export type AdministerAccount = (cause: Cause, command: AdministerAccountCommand) => Promise<Administered>;

/**
 * Makes it. Whatever ends with the change ends with its commit; that others hear of it at once, and that the rows of sessions are ended,
 * comes after.
 *
 * @returns the use case; it throws faults `not-found`, `precondition-failed`, and `last-administrator` where nobody would be left
 */
export const createAdministerAccount =
  (given: AdministerAccountDependencies): AdministerAccount =>
  async (cause, { accountId, ifMatch, decide }) => {
    const { events, accounts, demandAnotherAdministrator, teller, now } = given;
    const write = await events.transaction((session) => {
      const judged = async (current: AccountDocument) => {
        const decision = decide(current, now());
        const goes = decision !== undefined && administers(current) && !administers(decision.state);
        if (goes) await demandAnotherAdministrator(accountId, session);
        return decision;
      };
      return accounts.update(cause, accountId, judged, { session, ...(ifMatch !== undefined && { ifMatch }) });
    });
    if (write === undefined) throw faults.notFound();
    const ending = endingOf({ id: accountId, event: write.event }, now());
    if (ending !== undefined) await teller.tell([ending]);
    return { account: accountOf(write.document), eventId: write.event?.id };
  };
