import type { Collection, CreateIndexesOptions, Filter, IndexSpecification } from 'mongodb';

import { Page, type LogPage, type LogRoom } from './log-page.ts';
import type { LoggedEvent } from './logged-event.ts';

/** Which events of a log are asked for: those of which all that is said is true. One of the first three has to be. */
export interface EventQuestion {
  /** The request that they go back to. */
  readonly correlationId?: string | undefined;
  /** The thing that they are about: `account/usr_…`. */
  readonly subject?: string | undefined;
  /** One of these; a few. */
  readonly types?: readonly string[] | undefined;
  /** The person who caused them, besides. */
  readonly causedBy?: string | undefined;
}

/** For each slot, the position up to which it has been read; a slot that is not named is read from its beginning. */
export type LogPlaces = ReadonlyMap<number, number>;

/** A question that no index narrows down enough is given up. */
const queryMs = 10_000;

/**
 * What {@link findEvents} is served by: after what is asked for, the place in the log, so that events come in its order and a page
 * begins where the one before has ended. What a person has caused is found by the type too, since it is their own events that they
 * ask for; erasing a person finds by the same index all that they have caused. What an event has caused is found for its effects, by
 * type where that is much.
 */
export const questionIndexes: readonly (readonly [IndexSpecification, CreateIndexesOptions | undefined])[] = [
  [{ 'event.correlationid': 1, slot: 1, pos: 1 }, undefined],
  [{ 'event.subject': 1, slot: 1, pos: 1 }, undefined],
  [{ 'event.type': 1, slot: 1, pos: 1 }, undefined],
  [
    { 'event.authid': 1, 'event.type': 1, slot: 1, pos: 1 },
    { partialFilterExpression: { 'event.authid': { $exists: true } } },
  ],
  [
    { 'event.causationid': 1, 'event.type': 1 },
    { partialFilterExpression: { 'event.causationid': { $exists: true } } },
  ],
];

const filterOf = ({ correlationId, subject, types, causedBy }: EventQuestion): Filter<LoggedEvent> => ({
  ...(correlationId !== undefined && { 'event.correlationid': correlationId }),
  ...(subject !== undefined && { 'event.subject': subject }),
  ...(types !== undefined && { 'event.type': types.length === 1 ? types[0] : { $in: [...types] } }),
  ...(causedBy !== undefined && { 'event.authid': causedBy, 'event.authtype': 'app_user' }),
});

/**
 * The events of a log that a question is about, slot by slot, each in its order. What is logged behind a place is found from that
 * place on, however old its id is; a page that says that there is no more has all that was logged before it was asked for.
 *
 * @param log - of one service
 * @param after - where the page before has ended
 */
export const findEvents = async (
  log: Collection<LoggedEvent>,
  question: EventQuestion,
  after: LogPlaces,
  room: LogRoom,
): Promise<LogPage> => {
  const page = new Page(room);
  const filter = filterOf(question);
  // Slots are only found by a step from one to the next: a list of them would take a look at every event.
  const nextSlot = async (behind: number): Promise<number | undefined> => {
    const row = await log
      .find({ ...filter, slot: { $gt: behind } }, { projection: { slot: 1 }, maxTimeMS: queryMs })
      .sort({ slot: 1, pos: 1 })
      .limit(1)
      .next();
    return row?.slot;
  };
  for (let slot = await nextSlot(-1); slot !== undefined; slot = await nextSlot(slot)) {
    const found = log
      .find({ ...filter, slot, pos: { $gt: after.get(slot) ?? 0 } }, { maxTimeMS: queryMs })
      .sort({ slot: 1, pos: 1 })
      .limit(page.most);
    if (await page.fill(found)) return { rows: page.rows, more: true };
  }
  return { rows: page.rows, more: false };
};
