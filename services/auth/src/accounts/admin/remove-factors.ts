import { faults } from '@causeway/contracts';
import type { Cause, EventEnvelope } from '@causeway/contracts';
import type { Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { FactorDocument } from '../../factors/factor.model.ts';
import { removed } from '../../factors/factors.events.ts';
import type { KnownDevices } from '../../guessing/known-devices.ts';
import type { TellEnding } from '../../revocations/tell-ending.ts';
import type { Tickets } from '../../tickets/tickets.ts';
import type { AccountDocument } from '../account.model.ts';
import { removingFactors } from './account-decisions.ts';

/** What {@link createRemoveFactors} is given. */
export interface RemoveFactorsDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'delete' | 'native'>;
  readonly tickets: Pick<Tickets, 'forgetOf'>;
  readonly knownDevices: Pick<KnownDevices, 'forget'>;
  readonly tellEnding: TellEnding;
  readonly transaction: Events['transaction'];
  readonly now: () => Date;
}

/** Whose, and which administrator removes them. */
export interface RemoveFactorsCommand {
  readonly accountId: string;
  /** The administrator's account. */
  readonly by: string;
}

const ownFactors = () =>
  faults.conflict({
    detail:
      'This is for those who have lost theirs. Remove your own by `DELETE /v1/auth/factors/{id}`, with two proofs.',
  });

/**
 * Removes all second factors of somebody, recovery codes too, who has lost them and asks an administrator. In the same write of the account all
 * of its sessions end and sign-ins that are half done; no device is known any more. The password stays. Nobody does it for themselves: whoever
 * is in an administrator's session has not shown that they have the factors.
 *
 * @returns the use case, which gives the ids of the events, none where there are no factors; it throws faults `not-found`, and `conflict` for the
 *   administrator's own account
 */
export function createRemoveFactors(dependencies: RemoveFactorsDependencies) {
  const { accounts, factors, tickets, knownDevices, tellEnding, transaction, now } = dependencies;

  const remove = async (cause: Cause, { accountId, by }: RemoveFactorsCommand, session: ClientSession) => {
    // One that was never confirmed is none: it alone ends nobody's sessions, and runs out by itself.
    const hasAny = async (): Promise<boolean> =>
      (await factors.native.findOne({ accountId, status: 'active' }, { session, projection: { _id: 1 } })) !== null;
    // First the account: one that is added at once meets it here, and is kept or goes with the others.
    const judged = async (current: AccountDocument) =>
      (await hasAny()) || current.hasSecondFactor === true ? removingFactors(by)(current, now()) : undefined;
    const write = await accounts.update(cause, accountId, judged, { session });
    if (write === undefined) throw faults.notFound();
    const { document, event } = write;
    if (event === undefined) return { event, events: [] };
    const events = [event.id];
    const found = factors.native.find({ accountId }, { session, projection: { _id: 1 } });
    for (const { _id } of await found.toArray()) {
      const removal = (factor: FactorDocument) =>
        removed(factor, factor.status === 'pending' ? 'not-confirmed' : 'administrator');
      const gone = await factors.delete(cause, _id, removal, { session });
      if (gone !== undefined) events.push(gone.event.id);
    }
    await tickets.forgetOf(accountId, session);
    await knownDevices.forget(document.emailKey, session);
    return { event, events };
  };

  return async (cause: Cause, command: RemoveFactorsCommand): Promise<readonly string[]> => {
    if (command.accountId === command.by) throw ownFactors();
    const { event, events }: { readonly event: EventEnvelope | undefined; readonly events: readonly string[] } =
      await transaction((session) => remove(cause, command, session));
    await tellEnding(command.accountId, event);
    return events;
  };
}

/** Removes all second factors of somebody. */
export type RemoveFactors = ReturnType<typeof createRemoveFactors>;
