import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { ProofDocument } from '../proofs/proof.model.ts';
import { tooManyFactors } from './factors.errors.ts';

/** What {@link createDemandFewAdded} is given. */
export interface DemandFewAddedDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native'>;
  readonly now: () => Date;
}

/** As many as there may be of passkeys: who sets all of them up at once may. */
const mostAnHour = 10;
const hourMs = 3_600_000;

/**
 * Each second factor that is added has a mail with a link that takes it back. Whoever adds and removes them over and over would bury that of the one
 * that matters under others, and a mail that is left out would be that one: so it is the addition that is refused.
 *
 * @throws fault `too-many-factors`
 */
export type DemandFewAdded = (accountId: string, session: ClientSession) => Promise<void>;

/** Makes it. To be asked once the account is written in the same transaction: those who add at once are counted one after the other. */
export const createDemandFewAdded =
  ({ proofs, now }: DemandFewAddedDependencies): DemandFewAdded =>
  async (accountId, session) => {
    const at = now().getTime();
    // One that is undone, or over, counts as the others: what is counted is mails.
    const lately = { accountId, kind: 'undo-factor', createdAt: { $gt: new Date(at - hourMs) } } as const;
    const newest = proofs.native.find(lately, { session, projection: { createdAt: 1 } }).sort({ createdAt: -1 });
    const first = (await newest.limit(mostAnHour).toArray())[mostAnHour - 1];
    if (first === undefined) return;
    throw tooManyFactors({ retryAfterS: Math.max(1, Math.ceil((first.createdAt.getTime() + hourMs - at) / 1000)) });
  };
