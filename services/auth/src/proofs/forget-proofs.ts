import { proofDeleted } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection, RemovalStep } from '@causeway/events';

import type { ErasureNotes } from '../erasure/erased-addresses.ts';
import { forgetOver } from '../erasure/forget-over.ts';
import type { ForgetOverOptions } from '../erasure/forget-over.ts';
import type { ProofDocument, ProofQueries } from './proof.model.ts';
import { deleted } from './proofs.events.ts';

/** Proofs that are dealt with at a time. */
const chunk = 20;

const dayMs = 24 * 3_600_000;

/** For how long one can see what has become of a link. */
const keptMs = 30 * dayMs;

/** Of a link that was mailed to nobody, there is nothing to be seen: it is somebody's address who has no account, and never asked. */
const keptOfNobodyMs = dayMs;

/** Types of events about proofs that name nothing but ids. */
const keep = [proofDeleted.type];

/** What proofs are forgotten by. */
export interface ForgetProofsDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'delete'>;
  readonly proofQueries: Pick<ProofQueries, 'idsOf' | 'endedBefore' | 'endedOfNobodyBefore'>;
}

/**
 * Forgets proofs that have been over for a month, or for a day, where nobody has the address; with what the log says of them.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives the number of proofs
 */
export const createForgetProofs =
  ({
    proofs,
    proofQueries,
    redaction,
    now,
  }: ForgetProofsDependencies & { readonly redaction: ForgetOverOptions['redaction']; readonly now: () => Date }) =>
  async (cause: Cause, signal: AbortSignal): Promise<number> => {
    const at = now().getTime();
    const given = {
      ...{ thing: 'proof', redaction, keep, signal },
      forget: (ids: readonly string[]) => Promise.all(ids.map((id) => proofs.delete(cause, id, deleted))),
    };
    const ofNobody = (but: readonly string[]) =>
      proofQueries.endedOfNobodyBefore(new Date(at - keptOfNobodyMs), chunk, but);
    const all = (but: readonly string[]) => proofQueries.endedBefore(new Date(at - keptMs), chunk, but);
    return (await forgetOver({ ...given, find: ofNobody })) + (await forgetOver({ ...given, find: all }));
  };

/**
 * The step of an erasure that forgets the links that somebody has asked for, and those that others have asked for their addresses.
 *
 * @returns the step; it counts `proofs` and `proofEventsRedacted`
 */
export const forgetProofsOf = (given: {
  readonly dependencies: () => ForgetProofsDependencies;
  readonly addresses: () => Pick<ErasureNotes, 'of'>;
  readonly redaction: () => Events['redaction'];
}): RemovalStep => ({
  // Not `forget-proofs`: an earlier release had it elsewhere among the steps. A removal that was left there begins anew.
  name: 'forget-proofs-of-address',
  pass: 'last',
  async run({ personId: accountId, cause, isTimeUp }) {
    const counts = { proofs: 0, proofEventsRedacted: 0 };
    const { proofs, proofQueries } = given.dependencies();
    await given.redaction().published();
    const erased = { accountId, ...(await given.addresses().of(accountId)) };
    for (;;) {
      const ids = await proofQueries.idsOf(erased, chunk);
      if (ids.length === 0) return { counts };
      const subjects = ids.map((id) => `proof/${id}`);
      // First the log: once the proofs are gone, nothing tells which of its events were about them.
      const { events, more } = await given.redaction().ofSubjects(subjects, { cause, isTimeUp, keep });
      counts.proofEventsRedacted += events;
      if (more) return { counts, place: 'more' };
      await Promise.all(ids.map((id) => proofs.delete(cause, id, deleted)));
      counts.proofs += ids.length;
      if (isTimeUp()) return { counts, place: 'more' };
    }
  },
});
