import { redactedSchema, type Cause, type RedactedData } from '@causeway/contracts';
import type { Collection, Db, Document, Filter } from 'mongodb';

import type { HandledRow } from '../consumer/inbox.ts';
import type { LoggedEvent } from '../log/event-log.ts';
import type { RedactTimers } from './redact-timers.ts';
import { untilPublished } from './until-published.ts';

/** Takes a person out of what a service has recorded and received. Safe to repeat: what is done is not met again. */
export interface Redaction {
  /**
   * Waits until all that is recorded by now is published, and so in the log: a row that still carries an event would bring it there
   * later, with all that it says. What rows carry tells, not times: these are whatever a process took them for.
   *
   * @throws Fault `unavailable` where it takes longer than 3 s
   */
  published(): Promise<void>;
  /**
   * Events that are about a person lose their data, and who caused them; what of them is parked is given up. So it is with what timers
   * about them have told, and those that wait are cancelled.
   *
   * @param subjects - such as `account/usr_…`; at most 500
   * @returns how much there was to do, and whether there may be more
   */
  ofSubjects(subjects: readonly string[], options: SubjectsOptions): Promise<Redacted>;
  /**
   * Events about things of which nothing is kept any more lose their data, and who caused them. Of what is parked nothing is given up: such a
   * subject is left whole, and the thing has to be kept too, by which an erasure finds it.
   *
   * @param subjects - at most 500
   * @returns the subjects that were dealt with; none where the time was up before the end
   */
  ofForgotten(subjects: readonly string[], options: Omit<SubjectsOptions, 'cause'>): Promise<readonly string[]>;
  /**
   * Events that a person merely caused no longer say who it was: `authid` goes, and fields of the data that hold the id. Nor will those that
   * timers hold.
   */
  ofPrincipal(personId: string, options: PrincipalOptions): Promise<Redacted>;
}

/** What of events about a person stays. */
export interface SubjectsOptions {
  /** Of the timers that are cancelled. */
  readonly cause: Cause;
  /** Ends the work early. */
  readonly isTimeUp: () => boolean;
  /** Types whose data names nothing but ids, and which others need to be told: `auth.account.deleted`. */
  readonly keep?: readonly string[];
}

/** Where else than in `authid` events hold who caused them. */
export interface PrincipalOptions {
  readonly isTimeUp: () => boolean;
  /** Optional properties of data: `createdBy`. */
  readonly fields?: readonly string[];
  /** Only events of these subjects, but whoever caused them: other people's events about what the person had made. */
  readonly subjects?: readonly string[];
}

/** What a part of the work came to. */
export interface Redacted {
  readonly events: number;
  /** Events that were parked, and are discarded. */
  readonly parked: number;
  /** Whether the time was up before the end. */
  readonly more: boolean;
}

/** How {@link createRedaction} is wired. */
export interface RedactionOptions {
  readonly db: Db;
  /** Every collection with outboxes, tombstones included. */
  readonly collections: () => readonly string[];
  readonly log: Collection<LoggedEvent>;
  readonly handled: Collection<HandledRow>;
  readonly timers: RedactTimers;
  /** Opens a subject of which nothing is parked any more; absent where the service handles no events. */
  readonly closeLane?: ((handler: string, subject: string) => Promise<unknown>) | undefined;
  readonly now: () => Date;
}

/** Rows of the log that are changed by one statement. */
const chunk = 1_000;
const reason = 'The person whom it was about has been erased.';

/** Makes what takes persons out of one service's events. */
export const createRedaction = (options: RedactionOptions): Redaction => {
  const { db, collections, log, handled, timers, closeLane, now } = options;

  /** Changes rows of the log until none is left that matches: the change must make that so. */
  const drain = async (
    filter: Filter<LoggedEvent>,
    change: Document[],
    isTimeUp: () => boolean,
  ): Promise<Omit<Redacted, 'parked'>> => {
    for (let events = 0; ;) {
      const rows = await log.find(filter, { projection: { _id: 1 }, limit: chunk }).toArray();
      if (rows.length === 0) return { events, more: false };
      // What was found alone: of a subject that goes on meanwhile the rest is met by the next look.
      const found = { _id: { $in: rows.map(({ _id }) => _id) } };
      await log.updateMany(found, change);
      events += rows.length;
      if (rows.length < chunk) return { events, more: false };
      if (isTimeUp()) return { events, more: true };
    }
  };

  const discardParked = async (subjects: readonly string[], keep: readonly string[]): Promise<number> => {
    let count = 0;
    const about = { status: 'parked' as const, subject: { $in: [...subjects] }, 'payload.type': { $nin: [...keep] } };
    for await (const { _id, subject = '' } of handled.find(about, { projection: { subject: 1 } })) {
      const { modifiedCount } = await handled.updateOne(
        { _id, status: 'parked' },
        { $set: { status: 'discarded', at: now(), reason }, $unset: { payload: '', error: '' } },
      );
      count += modifiedCount;
      await closeLane?.(_id.handler, subject);
    }
    return count;
  };

  /** Events about these subjects, whole ones alone. */
  const redactLog = (subjects: readonly string[], keep: readonly string[], isTimeUp: () => boolean) => {
    const data: RedactedData = { redactedAt: now().toISOString() };
    const whole: Filter<LoggedEvent> = {
      'event.subject': { $in: [...subjects] },
      'event.type': { $nin: [...keep] },
      'event.dataschema': { $ne: redactedSchema },
    };
    const redact = { event: { data: { $literal: data }, dataschema: redactedSchema } };
    // A stage that sets a document adds to the one that is there: what it is to replace goes first.
    return drain(whole, [{ $unset: ['event.data', 'event.authid'] }, { $set: redact }], isTimeUp);
  };

  return {
    published: () => untilPublished(db, collections()),
    async ofSubjects(subjects, { cause, isTimeUp, keep = [] }) {
      let parked = await discardParked(subjects, keep);
      await timers.cancelAbout(subjects, cause);
      let { events, more } = await redactLog(subjects, keep, isTimeUp);
      for await (const told of timers.subjectsAbout(subjects)) {
        if (more) break;
        parked += await discardParked(told, keep);
        const done = await redactLog(told, keep, isTimeUp);
        events += done.events;
        more = done.more || isTimeUp();
      }
      return { events, parked, more };
    },
    async ofForgotten(subjects, { isTimeUp, keep = [] }) {
      const parked = handled.find(
        { status: 'parked', subject: { $in: [...subjects] } },
        { projection: { subject: 1 } },
      );
      const held = new Set((await parked.toArray()).map(({ subject }) => subject));
      const free = subjects.filter((subject) => !held.has(subject));
      const { more } = await redactLog(free, keep, isTimeUp);
      return more ? [] : free;
    },
    async ofPrincipal(personId, { isTimeUp, fields = [], subjects }) {
      const paths = ['event.authid', ...fields.map((field) => `event.data.${field}`)];
      const without = Object.fromEntries(
        paths.map((path) => [path, { $cond: [{ $eq: [`$${path}`, personId] }, '$$REMOVE', `$${path}`] }]),
      );
      const named = (path: string): Filter<LoggedEvent> => ({ [path]: personId });
      const filter: Filter<LoggedEvent> =
        subjects === undefined
          ? { 'event.authid': personId }
          : { 'event.subject': { $in: [...subjects] }, $or: paths.map(named) };
      const done = await drain(filter, [{ $set: without }], isTimeUp);
      const waiting = { status: 'parked' as const, 'payload.authid': personId };
      if (subjects === undefined) {
        await handled.updateMany(waiting, { $unset: { 'payload.authid': '' } });
        await timers.unname(personId, fields);
      }
      return { ...done, parked: 0 };
    },
  };
};

/** The subjects under which every service may hold something of a person. */
export const subjectsOf = (personId: string): readonly string[] => [`account/${personId}`, `profile/${personId}`];
