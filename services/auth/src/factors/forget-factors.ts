import { factorRemoved } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection, RemovalStep } from '@causeway/events';

import { confirmWithinMs } from './enrol-totp.ts';
import type { FactorDocument, FactorQueries } from './factor.model.ts';
import { removed } from './factors.events.ts';

/** Factors that are dealt with at a time. */
const chunk = 20;

/**
 * Removes factors that nobody has confirmed in time. Replicas may do it at once: each goes once.
 *
 * @returns a job; it takes its cause and a signal that stops it
 */
export const createForgetPending =
  (given: {
    readonly factors: Pick<RecordedCollection<FactorDocument>, 'delete'>;
    readonly factorQueries: Pick<FactorQueries, 'pendingIdsBefore'>;
    readonly now: () => Date;
  }) =>
  async (cause: Cause, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const before = new Date(given.now().getTime() - confirmWithinMs);
      const ids = await given.factorQueries.pendingIdsBefore(before, chunk);
      for (const id of ids) await given.factors.delete(cause, id, (factor) => removed(factor, 'not-confirmed'));
      if (ids.length < chunk) return;
    }
  };

/**
 * The step of an erasure that forgets all factors of somebody.
 *
 * @returns the step; it counts `factors` and `factorEventsRedacted`
 */
export const forgetFactors = (given: {
  readonly factors: () => Pick<RecordedCollection<FactorDocument>, 'delete'>;
  readonly factorQueries: () => Pick<FactorQueries, 'idsOf'>;
  readonly redaction: () => Events['redaction'];
}): RemovalStep => ({
  name: 'forget-factors',
  pass: 'last',
  async run({ personId, cause, isTimeUp }) {
    const counts = { factors: 0, factorEventsRedacted: 0 };
    await given.redaction().published();
    for (;;) {
      const ids = await given.factorQueries().idsOf(personId, chunk);
      if (ids.length === 0) return { counts };
      const keep = [factorRemoved.type];
      const subjects = ids.map((id) => `factor/${id}`);
      // First the log: once the factors are gone, nothing tells which of its events were about them.
      const { events, more } = await given.redaction().ofSubjects(subjects, { cause, isTimeUp, keep });
      counts.factorEventsRedacted += events;
      if (more) return { counts, place: 'more' };
      for (const id of ids) await given.factors().delete(cause, id, (factor) => removed(factor, 'account-deleted'));
      counts.factors += ids.length;
      if (isTimeUp()) return { counts, place: 'more' };
    }
  },
});
