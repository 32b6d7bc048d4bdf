import { Fault } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { deleteWithDependents } from '../records/delete-record.ts';
import { demandRight } from '../records/judge-record.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { deleted } from '../records/records.events.ts';
import { demandCurrent, isOutdated, underDefinition } from '../records/under-definition.ts';
import { followFrom } from '../rules/follow/follow-records.ts';
import { findIncoming } from '../references/incoming.ts';
import type { WritingDependencies } from './change-matching.ts';
import { givingWay } from '../pacing/give-way.ts';
import type { Matching } from './matching.ts';
import { demandMatchable, readMatching } from './matching.ts';
import type { ChunkResult, DoChunk, Outcome } from './outcome.ts';
import { refusedBy } from './outcome.ts';
import { createRehearseDeletes } from './rehearse-deletes.ts';

/** How records that match are to be deleted. */
export interface DeleteMatching {
  /** The collection's name. */
  readonly name: string;
  readonly matching: Matching;
  readonly dryRun: boolean;
}

/** Records that one chunk may write where more go with each: the relay is asked again then. */
const mostWritten = 500;

/** Something is in the way of one of those that go together: each is tried by itself. */
class NotTogether extends Error {
  override readonly name = 'NotTogether';
}

/**
 * Makes what deletes the records of a chunk that match: together in one transaction where no record may refer to them, else one
 * after the other, each in a transaction of its own with what follows from it.
 *
 * @returns for one call; its chunks throw faults that are not about one record, such as `unavailable`
 */
export function createDeleteMatching({ events, registry, now }: WritingDependencies) {
  const { db } = events;
  const lookup = { db, registry };
  const rehearseDeletes = createRehearseDeletes({ events, registry, now });

  return (cause: Cause, { name, matching, dryRun }: DeleteMatching): DoChunk => {
    const { caller } = matching;
    const rehearse = rehearseDeletes(matching);

    /** @throws NotTogether */
    const inOneTransaction = async (
      collection: Collection,
      ids: readonly string[],
      session: ClientSession,
    ): Promise<ChunkResult> => {
      const at = now();
      await demandCurrent(db, collection, session);
      if ((await findIncoming(lookup, collection, session)).length > 0) throw new NotTogether();
      const { documents, through } = await readMatching(db, collection, matching, ids, { at, session });
      const outcomes = new Map<string, Outcome>();
      const asking = await followFrom(db, collection, caller, documents, { session });
      const going: RecordDocument[] = [];
      for await (const document of givingWay(documents)) {
        try {
          demandRight(collection, 'delete', asking, document, { at });
          going.push(document);
        } catch (error) {
          outcomes.set(document._id, refusedBy(error, collection));
        }
      }
      const { id: by } = cause.principal;
      const writes = going.map(
        (current) => ({ kind: 'delete', current, event: deleted(collection, current, by) }) as const,
      );
      // Such as one whose outbox is full.
      const made = await collection.records.writeMany(cause, writes, { session, at }).catch((error: unknown) => {
        throw error instanceof Fault ? new NotTogether('', { cause: error }) : error;
      });
      for (const { document, event } of made) outcomes.set(document._id, { kind: 'written', eventId: event.id });
      return { outcomes, through };
    };

    /** @returns undefined where each has to go by itself */
    const all = async (collection: Collection, ids: readonly string[]): Promise<ChunkResult | undefined> => {
      try {
        return await events.transaction((session) => inOneTransaction(collection, ids, session));
      } catch (error) {
        if (error instanceof NotTogether) return undefined;
        throw error;
      }
    };

    const alone = async (
      collection: Collection,
      id: string,
    ): Promise<{ readonly outcome: Outcome; readonly written: number } | undefined> => {
      try {
        return await events.transaction(async (session) => {
          const at = now();
          await demandCurrent(db, collection, session);
          const [document] = (await readMatching(db, collection, matching, [id], { at, session })).documents;
          if (document === undefined) return undefined;
          const judged = await followFrom(db, collection, caller, [document], { session });
          demandRight(collection, 'delete', judged, document, { at });
          const asking = { caller, at, session };
          const { eventId, written } = await deleteWithDependents(lookup, cause, collection, document, asking);
          return { outcome: { kind: 'written', eventId }, written };
        });
      } catch (error) {
        if (isOutdated(error)) throw error;
        return { outcome: refusedBy(error, collection), written: 0 };
      }
    };

    return async ({ ids, isTimeUp }) => {
      const outcomes = new Map<string, Outcome>();
      let through = 0;
      let isEnd = false;
      const take = (some: ChunkResult): void => {
        for (const [id, each] of some.outcomes) outcomes.set(id, each);
        through += some.through;
        isEnd = some.isEnd === true;
      };
      await underDefinition(registry, name, async (collection) => {
        demandMatchable(collection, matching);
        const waiting = ids.slice(through);
        if (dryRun) {
          take(await rehearse(collection, waiting));
          return;
        }
        const made = await all(collection, waiting);
        if (made !== undefined) {
          take(made);
          return;
        }
        let written = 0;
        for (const id of waiting) {
          const one = await alone(collection, id);
          if (one !== undefined) outcomes.set(id, one.outcome);
          through += 1;
          written += one?.written ?? 0;
          if (isTimeUp() || written >= mostWritten) return;
        }
      });
      return { outcomes, through, isEnd };
    };
  };
}
