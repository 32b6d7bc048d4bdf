import { mailDeleted } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection, RemovalPart, RemovalStep } from '@causeway/events';

import type { ErasedAddresses, ErasureNotes } from '../erasure/erased-addresses.ts';
import { forgetOver } from '../erasure/forget-over.ts';
import type { ForgetOverOptions } from '../erasure/forget-over.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { ProofQueries } from '../proofs/proof.model.ts';
import type { MailLeases } from './mail-lease.ts';
import type { MailDocument, MailQueries } from './mail.model.ts';
import { deleted } from './mails.events.ts';

/** Mails that are dealt with at a time. */
const chunk = 20;

const dayMs = 24 * 3_600_000;

/** For how long one can see what has become of a mail. */
const keptMs = 30 * dayMs;

/** Of one to an address that nobody had: it is somebody's who has no account, and may never have asked. */
const keptOfNobodyMs = dayMs;

/** Types of events about mails that name nothing but ids. */
const keep = [mailDeleted.type];

/** What mails are forgotten by. */
export interface ForgetMailsDependencies {
  readonly mails: Pick<RecordedCollection<MailDocument>, 'delete'>;
  readonly mailQueries: Pick<MailQueries, 'idsOf' | 'idsOfLinks' | 'endedBefore' | 'endedOfNobodyBefore'>;
  readonly mailbox: Pick<Mailbox, 'forget'>;
  readonly leases: Pick<MailLeases, 'forget'>;
}

const forget = async (
  { mails, mailbox, leases }: Omit<ForgetMailsDependencies, 'mailQueries'>,
  cause: Cause,
  ids: readonly string[],
) => {
  await Promise.all([mailbox.forget(ids), leases.forget(ids)]);
  await Promise.all(ids.map((id) => mails.delete(cause, id, deleted)));
  // Before, since nothing leads there any more; and after, for one that was on its way, whose sender looks for its row next.
  await mailbox.forget(ids);
};

/**
 * Forgets mails that have been over for a month, or for a day, where nobody had the address; with what the log says of them.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives the number of mails
 */
export const createForgetMails =
  (
    dependencies: ForgetMailsDependencies & {
      readonly redaction: ForgetOverOptions['redaction'];
      readonly now: () => Date;
    },
  ) =>
  async (cause: Cause, signal: AbortSignal): Promise<number> => {
    const { mailQueries, redaction, now } = dependencies;
    const at = now().getTime();
    const given = {
      ...{ thing: 'mail', redaction, keep, signal },
      forget: (ids: readonly string[]) => forget(dependencies, cause, ids),
    };
    const ofNobody = (but: readonly string[]) =>
      mailQueries.endedOfNobodyBefore(new Date(at - keptOfNobodyMs), chunk, but);
    const all = (but: readonly string[]) => mailQueries.endedBefore(new Date(at - keptMs), chunk, but);
    return (await forgetOver({ ...given, find: ofNobody })) + (await forgetOver({ ...given, find: all }));
  };

/** What the steps of an erasure are given. */
interface MailsOfErased {
  readonly dependencies: () => ForgetMailsDependencies;
  readonly addresses: () => Pick<ErasureNotes, 'of'>;
  readonly redaction: () => Events['redaction'];
}

/** Some mails, with what the log says of them. */
const forgetSome = async (
  { dependencies, redaction }: MailsOfErased,
  ids: readonly string[],
  { cause, isTimeUp }: Pick<RemovalPart, 'cause' | 'isTimeUp'>,
) => {
  const subjects = ids.map((id) => `mail/${id}`);
  // First the log: once the mails are gone, nothing tells which of its events were about them.
  const { events, more } = await redaction().ofSubjects(subjects, { cause, isTimeUp, keep });
  if (!more) await forget(dependencies(), cause, ids);
  return { events, more };
};

/**
 * The step of an erasure that forgets the mails by which others would have had one of somebody's addresses confirmed as theirs. Those of earlier
 * releases say nowhere how their address is compared: they are found by their links, and go before these.
 *
 * @returns the step; it counts `mails` and `mailEventsRedacted`
 */
export const forgetMailsOfLinks = (
  given: MailsOfErased & { readonly linksOf: ProofQueries['askedByOthers'] },
): RemovalStep => ({
  name: 'forget-mails-of-links',
  pass: 'last',
  async run({ personId: accountId, place = '', cause, isTimeUp }) {
    const counts = { mails: 0, mailEventsRedacted: 0 };
    await given.redaction().published();
    const erased = { accountId, ...(await given.addresses().of(accountId)) };
    for (let after = place; ;) {
      const links = await given.linksOf(erased, after, chunk);
      const last = links.at(-1);
      if (last === undefined) return { counts };
      const ids = await given.dependencies().mailQueries.idsOfLinks(links);
      const { events, more } = await forgetSome(given, ids, { cause, isTimeUp });
      counts.mailEventsRedacted += events;
      if (more) return { counts, place: after };
      counts.mails += ids.length;
      after = last._id;
      if (isTimeUp()) return { counts, place: after };
    }
  },
});

/**
 * The step of an erasure that forgets what somebody was written, what others had sent to their addresses, and what was written there before there
 * was an account.
 *
 * @returns the step; it counts `mails` and `mailEventsRedacted`
 */
export const forgetMailsOf = (
  given: MailsOfErased & {
    /** Links by which somebody who is not the person signs up with one of the addresses since: their mails stay. */
    readonly liveProofsOf: (erased: ErasedAddresses) => Promise<readonly string[]>;
  },
): RemovalStep => ({
  // Not `forget-mails`, for the same reason as proofs: who went on from there would have passed them by.
  name: 'forget-mails-of-address',
  pass: 'last',
  async run({ personId: accountId, cause, isTimeUp }) {
    const counts = { mails: 0, mailEventsRedacted: 0 };
    await given.redaction().published();
    const addresses = await given.addresses().of(accountId);
    const erased = { accountId, ...addresses, but: await given.liveProofsOf(addresses) };
    for (;;) {
      const ids = await given.dependencies().mailQueries.idsOf(erased, chunk);
      if (ids.length === 0) return { counts };
      const { events, more } = await forgetSome(given, ids, { cause, isTimeUp });
      counts.mailEventsRedacted += events;
      if (more) return { counts, place: 'more' };
      counts.mails += ids.length;
      if (isTimeUp()) return { counts, place: 'more' };
    }
  },
});
