import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Decision, RecordedCollection } from '@causeway/events';

import type { ProofDocument, ProofQueries } from './proof.model.ts';
import { withdrawn } from './proofs.events.ts';

/** Proofs that are dealt with at a time. */
const chunk = 50;

/** @returns the end of a proof that was not used, decided; undefined where it is over already */
export const withdrawal = (proof: ProofDocument, reason: string, at: Date): Decision<ProofDocument> | undefined =>
  proof.status === 'open'
    ? { state: { ...stateOf(proof), status: 'withdrawn', endedAt: at }, event: withdrawn(proof, reason) }
    : undefined;

/** What {@link createExpireProofs} is given. */
export interface ExpireProofsDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'update'>;
  readonly proofQueries: Pick<ProofQueries, 'expiredIds'>;
  readonly now: () => Date;
}

/**
 * Withdraws the proofs that are over by time, so that their end is an event too. What is over is refused by its date already: nothing
 * depends on when this runs.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives how many it has withdrawn
 */
export const createExpireProofs =
  ({ proofs, proofQueries, now }: ExpireProofsDependencies) =>
  async (cause: Cause, signal: AbortSignal): Promise<number> => {
    let count = 0;
    while (!signal.aborted) {
      const at = now();
      const ids = await proofQueries.expiredIds(at, chunk);
      if (ids.length === 0) break;
      const ends = await Promise.all(
        ids.map((id) => proofs.update(cause, id, (proof) => withdrawal(proof, 'expired', at))),
      );
      count += ends.filter((write) => write?.event !== undefined).length;
    }
    return count;
  };
