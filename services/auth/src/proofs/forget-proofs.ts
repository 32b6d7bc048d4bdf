import { proofDeleted } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection, RemovalStep } from '@causeway/events';

import type { ProofDocument, ProofQueries } from './proof.model.ts';
import { deleted } from './proofs.events.ts';

/** Proofs that are dealt with at a time. */
const chunk = 20;

const dayMs = 24 * 3_600_000;

/** For how long one can see what has become of a link. */
const keptMs = 30 * dayMs;

/** Of a link that was mailed to nobody, there is nothing to be seen: it is somebody's address who has no account, and never asked. */
const keptOfNobodyMs = dayMs;

/** What proofs are forgotten by. */
export interface ForgetProofsDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'delete'>;
  readonly proofQueries: Pick<ProofQueries, 'idsOf' | 'endedBefore' | 'endedOfNobodyBefore'>;
}

/**
 * Forgets proofs that have been over for a month; for a day, where nobody has the address.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives the number of proofs
 */
export const createForgetProofs =
  ({ proofs, proofQueries, now }: ForgetProofsDependencies & { readonly now: () => Date }) =>
  async (cause: Cause, signal: AbortSignal): Promise<number> => {
    const at = now().getTime();
    const finds = [
      () => proofQueries.endedOfNobodyBefore(new Date(at - keptOfNobodyMs), chunk),
      () => proofQueries.endedBefore(new Date(at - keptMs), chunk),
    ];
    let count = 0;
    for (const find of finds) {
      for (let ids = await find(); ids.length > 0 && !signal.aborted; ids = await find()) {
        await Promise.all(ids.map((id) => proofs.delete(cause, id, deleted)));
        count += ids.length;
      }
    }
    return count;
  };

/**
 * The step of an erasure that forgets the links that somebody has asked for.
 *
 * @returns the step; it counts `proofs` and `proofEventsRedacted`
 */
export const forgetProofsOf = (given: {
  readonly dependencies: () => ForgetProofsDependencies;
  readonly redaction: () => Events['redaction'];
}): RemovalStep => ({
  name: 'forget-proofs',
  pass: 'last',
  async run({ personId, cause, isTimeUp }) {
    const counts = { proofs: 0, proofEventsRedacted: 0 };
    const { proofs, proofQueries } = given.dependencies();
    await given.redaction().published();
    for (;;) {
      const ids = await proofQueries.idsOf(personId, chunk);
      if (ids.length === 0) return { counts };
      const subjects = ids.map((id) => `proof/${id}`);
      // First the log: once the proofs are gone, nothing tells which of its events were about them.
      const keep = [proofDeleted.type];
      const { events, more } = await given.redaction().ofSubjects(subjects, { cause, isTimeUp, keep });
      counts.proofEventsRedacted += events;
      if (more) return { counts, place: 'more' };
      await Promise.all(ids.map((id) => proofs.delete(cause, id, deleted)));
      counts.proofs += ids.length;
      if (isTimeUp()) return { counts, place: 'more' };
    }
  },
});
