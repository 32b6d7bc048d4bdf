import type { ClientSession } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { demandRight } from '../records/judge-record.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { demandCurrent, isOutdated } from '../records/under-definition.ts';
import type { Incoming } from '../references/incoming.ts';
import { followFrom } from '../rules/follow/follow-records.ts';
import { findIncoming } from '../references/incoming.ts';
import { dependentsBudget, planDeletion } from '../references/plan-deletion.ts';
import type { WritingDependencies } from './change-matching.ts';
import { givingWay } from '../pacing/give-way.ts';
import type { Matching } from './matching.ts';
import { meets, readMatching } from './matching.ts';
import type { ChunkResult, Outcome } from './outcome.ts';
import { refusedBy } from './outcome.ts';
import type { Rehearsal } from './rehearsal.ts';
import { createRehearsal } from './rehearsal.ts';

/** A transaction plans no more deletes after so long: it has to end before MongoDB ends it. The next one goes on. */
const mostMs = 3_000;

/** Makes what says of records that match what deleting them would come to, chunk after chunk of one call. Nothing is written. */
export function createRehearseDeletes({ events, registry, now }: WritingDependencies) {
  const lookup = { db: events.db, registry };

  return (matching: Matching) => {
    const { caller } = matching;
    let rehearsal = createRehearsal();

    /** @returns undefined where it would be gone by then, or match no more */
    const one = async (
      collection: Collection,
      document: RecordDocument,
      how: {
        readonly own: Rehearsal;
        readonly at: Date;
        readonly session: ClientSession;
        readonly incomingOf: (collection: Collection) => Promise<readonly Incoming[]>;
      },
    ): Promise<Outcome | undefined> => {
      const { own, at, session, incomingOf } = how;
      const current = own.asLeft(collection, document);
      if (current === undefined) return undefined;
      try {
        const judged = await followFrom(events.db, collection, caller, [current], { session });
        const isOther = current !== document;
        if (isOther && !meets(collection, { ...matching, caller: judged }, current, at)) return undefined;
        demandRight(collection, 'delete', judged, current, { at });
        const asking = { caller, at, session, incomingOf, by: undefined, unwritten: own.unwritten };
        const budget = dependentsBudget();
        const dependents = await planDeletion(lookup, collection, current, { ...asking, budget });
        own.remove(collection, current, dependents, at);
        return { kind: 'written' };
      } catch (error) {
        if (isOutdated(error)) throw error;
        return refusedBy(error, collection);
      }
    };

    return async (collection: Collection, ids: readonly string[]): Promise<ChunkResult> => {
      const said = await events.transaction(async (session) => {
        const at = now();
        const until = performance.now() + mostMs;
        await demandCurrent(events.db, collection, session);
        const own = rehearsal.fork();
        const incomingOf = knownOnce((to) => findIncoming(lookup, to, session));
        const { documents, through } = await readMatching(events.db, collection, matching, ids, { at, session });
        const outcomes = new Map<string, Outcome>();
        for await (const document of givingWay(documents)) {
          const outcome = await one(collection, document, { own, at, session, incomingOf });
          if (outcome !== undefined) outcomes.set(document._id, outcome);
          if (own.isFull || performance.now() >= until)
            return { own, outcomes, through: ids.indexOf(document._id) + 1 };
        }
        return { own, outcomes, through };
      });
      rehearsal = said.own;
      return { ...said, isEnd: said.own.isFull };
    };
  };
}

function knownOnce(
  find: (collection: Collection) => Promise<readonly Incoming[]>,
): (collection: Collection) => Promise<readonly Incoming[]> {
  const known = new Map<string, Promise<readonly Incoming[]>>();
  return (collection) => {
    const found = known.get(collection.id) ?? find(collection);
    known.set(collection.id, found);
    return found;
  };
}
