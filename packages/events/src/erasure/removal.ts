import { erasureRequested, erasureSettled, removalOf, type Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import { onEvent, type Handler } from '../consumer/handler.ts';
import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import type { Decision } from '../recording/recorded-writes.ts';
import type { Persons } from './persons.ts';
import { removals, type RemovalCounts, type RemovalDocument } from './removal.model.ts';

/** A part of a step. */
export interface RemovalPart {
  readonly personId: string;
  /** Where the part before has ended; absent at the beginning of the step. */
  readonly place: string | undefined;
  /** To be handed to every write. Nobody acts in it: an event that named the person again would have to be redacted too. */
  readonly cause: Cause;
  /** Asked between two chunks: then the part ends, and says where. */
  readonly isTimeUp: () => boolean;
}

/** What a part of a step has done. */
export interface RemovedPart {
  readonly counts: RemovalCounts;
  /** Where the next part goes on; absent where the step is done. */
  readonly place?: string | undefined;
}

/** One kind of thing that a service holds of people, and how it goes. */
export interface RemovalStep {
  readonly name: string;
  /** `last`: only once no token of the person can be valid. Left out, it is done in both passes. */
  readonly pass?: 'last';
  /** Safe to repeat: a part whose process dies is done again. Writes by itself, not in a transaction of the caller's. */
  readonly run: (part: RemovalPart) => Promise<RemovedPart>;
}

/** How {@link removalHandlers} are wired. What exists only after the events do is asked for when it is needed. */
export interface RemovalOptions {
  readonly service: string;
  /** In their order. */
  readonly steps: readonly RemovalStep[];
  /** Of {@link removalMarkers}. */
  readonly markers: () => RecordedCollection<RemovalDocument>;
  readonly persons: () => Pick<Persons, 'close' | 'written'>;
  readonly kafkaUntil: Events['kafkaUntil'];
  readonly now?: () => Date;
}

/** A part takes about as long at most: it runs within the transaction of a handler, which has 10 s. */
const partMs = 4_000;

/** Parts of which a process remembers what they came to, until it is sure to be committed. */
const remembered = 100;

const added = (counts: RemovalCounts, more: RemovalCounts): RemovalCounts =>
  Object.entries(more).reduce((sum, [what, count]) => ({ ...sum, [what]: (sum[what] ?? 0) + count }), counts);

/** The markers of a service; to be named before the events start. */
export const removalMarkers = ({ collection }: Pick<Events, 'collection'>): RecordedCollection<RemovalDocument> =>
  collection<RemovalDocument>(removals, { thing: 'removal' });

/**
 * Makes the handlers that remove people from a service when `auth` erases them: `removal/<account id>` is the marker that no late event
 * gets past, and remembers how far the work is. The work goes on from event to event, each a part of some seconds, so that it survives
 * what becomes of a process, is a branch of the causes of the request, and hangs in the parking lot where it hangs.
 */
export const removalHandlers = (options: RemovalOptions): Handler[] => {
  const { service, steps, markers, persons, kafkaUntil, now = () => new Date() } = options;
  const { removalBegun, removalContinued, removalPrepared, removalCompleted } = removalOf(service);
  const first = steps[0]?.name ?? '';
  const bySystem = (cause: Cause): Cause => ({ ...cause, principal: { type: 'system' } });

  const begin = async (cause: Cause, accountId: string, pass: RemovalDocument['pass'], session: ClientSession) => {
    const marker = await markers().native.findOne({ _id: accountId }, { session, projection: { pass: 1 } });
    if (marker === null) {
      await persons().close(accountId, now(), session);
      const state = { pass, status: 'working' as const, step: first, counts: {} };
      const event = draft(removalBegun, { accountId });
      await markers().create(cause, { _id: accountId, state, event }, { session });
    } else if (pass === 'last' && marker.pass === 'first') {
      // From the beginning: what the first pass has done is not met again.
      await markers().update(
        cause,
        accountId,
        ({ counts }) => ({
          state: { pass, status: 'working', step: first, counts },
          event: draft(removalContinued, { accountId, step: first, counts: { ...counts } }),
        }),
        { session },
      );
    }
  };

  /** Does steps until the time is up. */
  const work = async (marker: RemovalDocument, cause: Cause): Promise<Decision<RemovalDocument>> => {
    const { _id: accountId, pass } = marker;
    const deadline = performance.now() + partMs;
    const isTimeUp = (): boolean => performance.now() > deadline;
    // Where this service hears of the erasure late, both passes come at once, and what outlives a token may be under way.
    if (pass === 'last') await persons().written(accountId);
    const ahead = steps.filter((step) => pass === 'last' || step.pass === undefined);
    const left = ahead.findIndex(({ name }) => name === marker.step);
    let index = Math.max(0, left);
    // Of a step that this release does not know the place says nothing: it is done from the beginning.
    let place = left === -1 ? undefined : marker.place;
    let { counts } = marker;
    for (let step = ahead[index]; step !== undefined; step = ahead[index]) {
      const part = await step.run({ personId: accountId, place, cause, isTimeUp });
      counts = added(counts, part.counts);
      place = part.place;
      if (place === undefined) index += 1;
      const next = ahead[index];
      if (next === undefined || !isTimeUp()) continue;
      const state = { pass, status: 'working' as const, step: next.name, counts };
      const event = draft(removalContinued, { accountId, step: next.name, counts: { ...counts } });
      return { state: place === undefined ? state : { ...state, place }, event };
    }
    const told = { accountId, counts: { ...counts } };
    if (pass === 'first')
      return { state: { pass, status: 'prepared', step: '', counts }, event: draft(removalPrepared, told) };
    // Of what is published by now: what comes is redacted already.
    const until = (await kafkaUntil(now())).toISOString();
    return {
      state: { pass, status: 'completed', step: '', counts },
      event: draft(removalCompleted, { ...told, kafkaUntil: until }),
    };
  };

  /** What a part came to, by its event: a transaction that is made anew does not find again what is gone, and would count nothing. */
  const parts = new Map<string, Decision<RemovalDocument>>();

  const workOnce = async (marker: RemovalDocument, cause: Cause): Promise<Decision<RemovalDocument>> => {
    const known = parts.get(marker.event);
    if (known !== undefined) return known;
    const decision = await work(marker, cause);
    parts.set(marker.event, decision);
    const [oldest] = parts.keys();
    if (parts.size > remembered && oldest !== undefined) parts.delete(oldest);
    return decision;
  };

  const goOn = async (cause: Cause, accountId: string, eventId: string, session: ClientSession): Promise<void> => {
    const marker = await markers().native.findOne({ _id: accountId }, { session });
    // Not the latest: what was to follow it has begun already, or the last pass has.
    if (marker?.event !== eventId) return;
    const decision = await workOnce(marker, cause);
    await markers().update(cause, accountId, () => decision, { ifMatch: [marker.revision], session });
  };

  return [
    onEvent.transaction({
      name: 'begin-removal',
      on: [erasureRequested, erasureSettled],
      handle: ({ type, data }, { cause, session }) =>
        begin(bySystem(cause), data.accountId, type === erasureSettled.type ? 'last' : 'first', session),
    }),
    onEvent.transaction({
      name: 'continue-removal',
      on: [removalBegun, removalContinued],
      writesByItself: true,
      handle: ({ id, data }, { cause, session }) => goOn(bySystem(cause), data.accountId, id, session),
    }),
  ];
};
