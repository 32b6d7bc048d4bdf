import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import type { Events, LoggedEvent, RemovalStep } from '@causeway/events';
import type { Filter } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';

/** Properties of records' events that name who acted. */
export const actorFields = ['createdBy', 'updatedBy', 'beforeUpdatedBy', 'deletedBy'] as const;

/** Rows of the log, and with them subjects, that are dealt with at a time. */
const chunk = 500;

/** Where a look at the log has ended. */
interface Place {
  readonly slot: number;
  readonly pos: number;
}

const formatPlace = ({ slot, pos }: Place): string => `${slot}.${pos}`;
const parsePlace = (place: string): Place => {
  const [slot = 0, pos = 0] = place.split('.').map(Number);
  return { slot, pos };
};

/** After the last place of the log: what this erasure has changed is dealt with. */
const changedDone = 'created';

/**
 * The step of an erasure that takes the records which went with somebody out of the log: those that the erasure has deleted, and those
 * that they had created in the same collections and that were gone before. Of records that stay, others' events no longer say whose
 * they were.
 *
 * @returns the step; it counts `recordEventsRedacted` and `recordEventsUnnamed`
 */
export const redactRecords = (events: () => Pick<Events, 'db' | 'log' | 'redaction'>): RemovalStep => {
  const changedRows = (correlationId: string, { slot, pos }: Place) => {
    const filter: Filter<LoggedEvent> = {
      'event.correlationid': correlationId,
      'event.type': { $in: [recordDeleted.type, recordUpdated.type] },
      $or: [{ slot: { $gt: slot } }, { slot, pos: { $gt: pos } }],
    };
    return events()
      .log.collection.find(filter, {
        projection: { slot: 1, pos: 1, 'event.subject': 1, 'event.type': 1 },
        limit: chunk,
      })
      .sort({ 'event.correlationid': 1, slot: 1, pos: 1 })
      .toArray();
  };

  const createdSubjects = async (personId: string): Promise<string[]> => {
    const { db, log } = events();
    const going = await db
      .collection<DefinitionDocument>(definitionsCollection)
      .find({ 'definition.onErase': 'delete' }, { projection: { _id: 1 } })
      .toArray();
    const filter: Filter<LoggedEvent> = {
      'event.authid': personId,
      'event.type': recordCreated.type,
      'event.data.collectionId': { $in: going.map(({ _id }) => _id) },
    };
    const rows = await log.collection.find(filter, { projection: { 'event.subject': 1 }, limit: chunk }).toArray();
    return rows.map(({ event }) => event.subject);
  };

  return {
    name: 'redact-records',
    pass: 'last',
    async run({ personId, place = '0.0', cause, isTimeUp }) {
      const { redaction } = events();
      const counts = { recordEventsRedacted: 0, recordEventsUnnamed: 0 };
      await redaction.published();
      const redact = async (subjects: readonly string[]): Promise<boolean> => {
        const { events: count, more } = await redaction.ofSubjects(subjects, { cause, isTimeUp });
        counts.recordEventsRedacted += count;
        return more;
      };
      const unname = async (subjects: readonly string[]): Promise<boolean> => {
        const options = { isTimeUp, fields: actorFields, subjects };
        const { events: count, more } = await redaction.ofPrincipal(personId, options);
        counts.recordEventsUnnamed += count;
        return more;
      };

      for (let at = place; at !== changedDone;) {
        const rows = await changedRows(cause.correlationId, parsePlace(at));
        const subjectsOf = (type: string): string[] =>
          rows.filter(({ event }) => event.type === type).map(({ event }) => event.subject);
        const gone = new Set(subjectsOf(recordDeleted.type));
        const kept = new Set(subjectsOf(recordUpdated.type).filter((subject) => !gone.has(subject)));
        const more = (await redact([...gone])) || (await unname([...kept]));
        if (more) return { counts, place: at };
        const last = rows.at(-1);
        at = rows.length < chunk || last === undefined ? changedDone : formatPlace(last);
        if (isTimeUp()) return { counts, place: at };
      }
      for (;;) {
        const subjects = await createdSubjects(personId);
        if (subjects.length === 0) return { counts };
        // What is redacted no longer says who caused it: the next look finds others.
        if ((await redact(subjects)) || isTimeUp()) return { counts, place: changedDone };
      }
    },
  };
};
