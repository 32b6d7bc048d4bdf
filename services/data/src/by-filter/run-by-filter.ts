import { faults } from '@causeway/contracts';
import type { Fault } from '@causeway/contracts';
import { parseAfter, readAfter } from '@causeway/events';
import type { Events } from '@causeway/events';
import type { Call } from '@causeway/service';
import type { MongoClient, Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { CursorCodec } from '../cursors/cursor-codec.ts';
import { begunAt, parseFilter, parseRecordQuery } from '../queries/asked-query.ts';
import { faultOfQuery } from '../queries/find-records.ts';
import type { AdmitQuery } from '../queries/plan/admit-query.ts';
import { inParameters } from '../queries/query-parameters.ts';
import type { FindCurrent } from '../records/find-current.ts';
import { demandEver, demandReadable } from '../records/judge-record.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import { followAll } from '../rules/follow/follow-records.ts';
import type { Judgement } from '../rules/rule.ts';
import type { AskedMany } from './asked-many.ts';
import { awaitRelay } from '../pacing/await-relay.ts';
import { tooManyMatches } from './by-filter.errors.ts';
import type { Matching } from './matching.ts';
import { demandMatchable, selectMatching } from './matching.ts';
import type { DoChunk } from './outcome.ts';
import type { ManyResult } from './tally.ts';
import { createTally } from './tally.ts';

/** What {@link createRunByFilter} is given. */
export interface RunByFilterDependencies {
  readonly events: Pick<Events, 'db' | 'backlog'>;
  readonly client: MongoClient;
  readonly findCurrent: FindCurrent;
  readonly cursors: CursorCodec;
  readonly admit: AdmitQuery;
  readonly queryTimeoutMs: number;
  readonly now: () => Date;
}

/** What somebody wants to be done to all records that match. */
export interface RunByFilter {
  /** The collection's name. */
  readonly name: string;
  readonly asked: AskedMany;
  readonly call: Pick<Call, 'token' | 'principal' | 'headers' | 'ifMatch' | 'signal' | 'draining'>;
  /** What a record is judged for. */
  readonly judgements: readonly Judgement[];
  /** Records of a chunk. */
  readonly chunkSize: number;
  /** Makes what deals with chunks; called once it is known that the caller may ask. */
  readonly begin: (matching: Matching) => DoChunk;
  /** Shows a record's fault. */
  readonly describe: (fault: Fault) => unknown;
}

/** What has been done, and where to go on. */
export interface DoneByFilter extends ManyResult {
  /** Absent where all that matched when the call began was dealt with. */
  readonly nextCursor: string | undefined;
}

/** A call begins no other chunk after so long; the gateway waits twice as long for its answer. */
const callMs = 15_000;

/** Where a call ended. */
interface ManyPlace {
  /** The last record's that was dealt with. */
  readonly id: string;
  /** When the first call began, in milliseconds since 1970: the filter may speak of the time. */
  readonly begunAt: number;
}

/** A call that has been looked at, before any record is. */
interface Begun {
  readonly collection: Collection;
  readonly matching: Matching;
  /** The highest position that the caller has seen. */
  readonly seen: Timestamp | undefined;
  readonly after: string | undefined;
  readonly cursorBehind: (id: string) => string;
}

/**
 * Does something to all records that match a filter, chunk after chunk, without holding up the events of others: to what matched when the
 * call began, and matches still when its turn comes.
 *
 * @returns the use case; it throws faults `not-found`, `forbidden`, `invalid-request`, `too-many-matches`, `query-needs-index`,
 *   `unavailable` where the events of before are not published in time, and what chunks throw
 */
export function createRunByFilter({
  events,
  client,
  findCurrent,
  cursors,
  admit,
  queryTimeoutMs,
  now,
}: RunByFilterDependencies) {
  const begin = async ({ name, asked, call, judgements }: RunByFilter): Promise<Begun> => {
    const caller = callerOf(call.token);
    const seen = parseAfter(call.headers['causeway-after']);
    const collection = await findCurrent(name, seen);
    if (collection === undefined) throw faults.notFound();
    demandReadable(collection, caller);
    demandEver(collection, judgements, caller);
    if (asked.scan && !caller.administrator) throw faults.forbidden();
    demandNoRevision(call);
    // Each record is judged by itself as well, which nobody can by words, or by what is nearest: these are refused here as in feeds.
    parseFilter(asked.filter, inParameters);
    const parts = { filter: asked.filter, sort: [], fields: undefined, locate: inParameters };
    const given = parseRecordQuery(parts, collection.scalarTypesAt, now());
    const binding = { query: ['by-filter', asked.filter], principal: principalKey(call.principal) };
    const bound = cursors({ collectionId: collection.id, ...binding });
    const from = asked.cursor === undefined ? undefined : (bound.decode(asked.cursor, cursorPlace) as ManyPlace);
    const since = from === undefined ? given.at : new Date(from.begunAt);
    const query = begunAt(given, since);
    const matching = { collectionId: collection.id, caller, query, timeoutMs: queryTimeoutMs };
    demandMatchable(collection, matching);
    if (!asked.scan) {
      const seeing = await followAll(events.db, collection, caller);
      await admit.demand({ collection, caller: seeing, query, read: {} });
    }
    return {
      ...{ collection, matching, seen, after: from?.id },
      cursorBehind: (id) => bound.encode({ id, begunAt: since.getTime() } satisfies ManyPlace),
    };
  };

  const run = async (command: RunByFilter): Promise<DoneByFilter> => {
    const { asked, call, chunkSize, describe } = command;
    const { limit, partial, dryRun } = asked;
    const { signal, draining } = call;
    const until = performance.now() + callMs;
    const isTimeUp = (): boolean => performance.now() >= until || draining.aborted;
    const { collection, matching, seen, after, cursorBehind } = await begin(command);
    // What a primary that has just been elected does not know of yet would pass for what does not match.
    const { ids, hasMore } = await readAfter(client, seen, (read) =>
      selectMatching(events.db, collection, matching, { after, limit, read }),
    );
    if (hasMore && !partial) throw tooMany(limit);
    const doChunk = command.begin(matching);
    const tally = createTally(describe);
    let done = 0;
    let isEnd = false;
    while (done < ids.length && !isEnd && (done === 0 || !isTimeUp())) {
      signal.throwIfAborted();
      if (!dryRun && !(await awaitRelay(events, { isTimeUp, signal }))) {
        if (done === 0) throw heldUp();
        break;
      }
      const chunk = ids.slice(done, done + chunkSize);
      const made = await doChunk({ ids: chunk, isTimeUp });
      for (const id of chunk.slice(0, made.through)) {
        const outcome = made.outcomes.get(id);
        if (outcome !== undefined) tally.add(id, outcome);
      }
      done += made.through;
      isEnd = made.isEnd === true;
    }
    const last = ids[done - 1];
    const isWhole = done === ids.length && !hasMore;
    return { ...tally.result(), nextCursor: isWhole || last === undefined ? undefined : cursorBehind(last) };
  };

  return async (command: RunByFilter): Promise<DoneByFilter> => {
    try {
      return await run(command);
    } catch (error) {
      throw faultOfQuery(error);
    }
  };
}

const cursorPlace = { parameter: 'cursor' };

/** @throws Fault `invalid-request` where a call says of which revision records have to be */
function demandNoRevision({ ifMatch }: Pick<Call, 'ifMatch'>): void {
  if (ifMatch === undefined) return;
  const message = 'Leave it out: it is for single records. The filter may name the `revision`.';
  throw faults.invalidRequest({ errors: [{ parameter: 'If-Match', code: 'not-by-filter', message }] });
}

const tooMany = (limit: number): Error =>
  tooManyMatches({ detail: `More than ${limit} records match.`, extensions: { limit, matched: limit + 1 } });

const heldUp = (): Error =>
  faults.unavailable({ message: 'what was recorded before is not published yet', retryAfterS: 5 });
