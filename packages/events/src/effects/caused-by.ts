import type { EventEnvelope } from '@causeway/contracts';
import type { Collection, Db } from 'mongodb';

import type { Handler } from '../consumer/handler.ts';
import type { LoggedEvent } from '../log/logged-event.ts';

/** Events of one type that an event has caused in one service. */
export interface CausedEvents {
  readonly type: string;
  /** At most {@link mostIds}. */
  readonly ids: readonly string[];
  /** Whether there are others. */
  readonly more: boolean;
}

/** What this service has recorded because of an event, by whichever handler and in whichever transaction. Ask it after the effects. */
export type CausedBy = (event: EventEnvelope) => Promise<readonly CausedEvents[]>;

/** How {@link createCausedBy} is wired. */
export interface CausedByOptions {
  readonly db: Db;
  readonly log: Collection<LoggedEvent>;
  /** Every collection with outboxes, tombstones included. */
  readonly collections: () => readonly string[];
  readonly handlers: readonly Handler[];
}

/** Ids that are told of one type. A part of an erasure may record thousands of events, of types that nobody handles. */
export const mostIds = 1_000;

interface Named {
  readonly id: string;
  readonly type: string;
}

interface Carrying {
  readonly outbox: readonly (Named & Pick<EventEnvelope, 'causationid'>)[];
}

/**
 * Makes the reader of what events have caused. A transaction handler's row names what its transaction has recorded; a handler that
 * writes by itself leaves its events in outboxes and in the log, by their cause alone: found there, they are whole whatever became of
 * the process that wrote them.
 */
export const createCausedBy = ({ db, log, collections, handlers }: CausedByOptions): CausedBy => {
  const waiting = async (causationid: string): Promise<Named[]> => {
    const found = await Promise.all(
      collections().map((name) =>
        db
          .collection<Carrying>(name)
          // The first condition is for the sparse index: of all rows, only those that carry events are looked at.
          .find({ 'outbox.id': { $gt: '' }, 'outbox.causationid': causationid }, { projection: { outbox: 1 } })
          .limit(mostIds)
          .toArray(),
      ),
    );
    return found.flat().flatMap(({ outbox }) => outbox.filter((each) => each.causationid === causationid));
  };

  const logged = async (filter: object): Promise<Named[]> => {
    const rows = await log.find(filter, { projection: { 'event.type': 1 }, limit: mostIds + 1 }).toArray();
    return rows.map(({ _id, event }) => ({ id: _id, type: event.type }));
  };

  const inLog = async (causationid: string): Promise<Named[]> => {
    const some = await logged({ 'event.causationid': causationid });
    if (some.length <= mostIds) return some;
    const types = (await log.distinct('event.type', { 'event.causationid': causationid })) as string[];
    const each = types.map((type) => logged({ 'event.causationid': causationid, 'event.type': type }));
    return (await Promise.all(each)).flat();
  };

  return async ({ id, type }) => {
    const taking = handlers.filter(({ on }) => on.some((contract) => contract.type === type));
    if (taking.length === 0) return [];
    const byItself = taking.some((handler) => handler.kind === 'external' || handler.writesByItself === true);
    // Outboxes first: what leaves them meanwhile is in the log by then.
    const found = [...(byItself ? await waiting(id) : []), ...(await inLog(id))];
    const byType = Map.groupBy(new Map(found.map((each) => [each.id, each])).values(), (each) => each.type);
    return [...byType].map(([name, events]) => {
      const ids = events.map((each) => each.id).sort();
      return { type: name, ids: ids.slice(0, mostIds), more: ids.length > mostIds };
    });
  };
};
