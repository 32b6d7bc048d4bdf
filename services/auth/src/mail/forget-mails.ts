import { mailDeleted } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection, RemovalStep } from '@causeway/events';

import type { Mailbox } from '../mailbox/mailbox.ts';
import type { MailLeases } from './mail-lease.ts';
import type { MailDocument, MailQueries } from './mail.model.ts';
import { deleted } from './mails.events.ts';

/** Mails that are dealt with at a time. */
const chunk = 20;

/** For how long one can see what has become of a mail. */
const keptMs = 30 * 24 * 3_600_000;

/** What mails are forgotten by. */
export interface ForgetMailsDependencies {
  readonly mails: Pick<RecordedCollection<MailDocument>, 'delete'>;
  readonly mailQueries: Pick<MailQueries, 'idsOf' | 'endedBefore'>;
  readonly mailbox: Pick<Mailbox, 'forget'>;
  readonly leases: Pick<MailLeases, 'forget'>;
}

const forget = async ({ mails, mailbox, leases }: ForgetMailsDependencies, cause: Cause, ids: string[]) => {
  await Promise.all([mailbox.forget(ids), leases.forget(ids)]);
  await Promise.all(ids.map((id) => mails.delete(cause, id, deleted)));
};

/**
 * Forgets mails that have been over for a month.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives the number of mails
 */
export const createForgetMails =
  (dependencies: ForgetMailsDependencies & { readonly now: () => Date }) =>
  async (cause: Cause, signal: AbortSignal): Promise<number> => {
    const before = new Date(dependencies.now().getTime() - keptMs);
    let count = 0;
    while (!signal.aborted) {
      const ids = await dependencies.mailQueries.endedBefore(before, chunk);
      if (ids.length === 0) break;
      await forget(dependencies, cause, ids);
      count += ids.length;
    }
    return count;
  };

/**
 * The step of an erasure that forgets what somebody was written.
 *
 * @returns the step; it counts `mails` and `mailEventsRedacted`
 */
export const forgetMailsOf = (given: {
  readonly dependencies: () => ForgetMailsDependencies;
  /** Proofs by which somebody has signed up: their mails went to an address that was nobody's yet. */
  readonly signUpsOf: (accountId: string) => Promise<readonly string[]>;
  readonly redaction: () => Events['redaction'];
}): RemovalStep => ({
  name: 'forget-mails',
  pass: 'last',
  async run({ personId, cause, isTimeUp }) {
    const counts = { mails: 0, mailEventsRedacted: 0 };
    const dependencies = given.dependencies();
    await given.redaction().published();
    const signUps = await given.signUpsOf(personId);
    for (;;) {
      const ids = await dependencies.mailQueries.idsOf({ accountId: personId, proofIds: signUps }, chunk);
      if (ids.length === 0) return { counts };
      const subjects = ids.map((id) => `mail/${id}`);
      // First the log: once the mails are gone, nothing tells which of its events were about them.
      const { events, more } = await given
        .redaction()
        .ofSubjects(subjects, { cause, isTimeUp, keep: [mailDeleted.type] });
      counts.mailEventsRedacted += events;
      if (more) return { counts, place: 'more' };
      await forget(dependencies, cause, ids);
      counts.mails += ids.length;
      if (isTimeUp()) return { counts, place: 'more' };
    }
  },
});
