import type { Cause } from '@causeway/contracts';
import type { Decision, Events } from '@causeway/events';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { atomicTries, createApplyChange, decideChange, namedBy } from '../records/change-record.ts';
import type { Patch } from '../records/patch-bodies.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { isOutdated, underDefinition } from '../records/under-definition.ts';
import { createFollow } from '../rules/follow/follow-records.ts';
import { findMissing, notThere } from '../references/keep-references.ts';
import type { NamedRecord } from '../references/referenced-ids.ts';
import { givingWay } from '../pacing/give-way.ts';
import type { Matching } from './matching.ts';
import { demandMatchable, meets, readMatching } from './matching.ts';
import type { DoChunk, Outcome } from './outcome.ts';
import { refusedBy } from './outcome.ts';

/** What is given to whoever writes records by a filter. */
export interface WritingDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: CollectionRegistry;
  readonly now: () => Date;
}

/** How records that match are to be changed. */
export interface ChangeMatching {
  /** The collection's name. */
  readonly name: string;
  readonly matching: Matching;
  readonly patch: Patch;
  readonly dryRun: boolean;
}

/** A change of a record that has been read. */
interface Planned {
  readonly document: RecordDocument;
  readonly decision: Decision<RecordDocument>;
  /** The records that it names anew. */
  readonly named: readonly NamedRecord[];
}

/** A record is another one by now, and does not match any more. */
class MatchesNoMore extends Error {
  override readonly name = 'MatchesNoMore';
}

/** Compare-and-sets that go together. */
const together = 100;

/**
 * Makes what changes the records of a chunk that match, each by itself: decided by what was read, written by a compare-and-set on that
 * revision. Whoever loses a race is read again, and left alone where it does not match any more.
 *
 * @returns for one call; its chunks throw faults that are not about one record, such as `unavailable`
 */
export function createChangeMatching({ events, registry, now }: WritingDependencies) {
  const applyChange = createApplyChange({ events, registry, now });
  const lookup = { db: events.db, registry };
  const follow = createFollow(events.db, {});

  return (cause: Cause, { name, matching, patch, dryRun }: ChangeMatching): DoChunk => {
    const { caller } = matching;
    const { change, isAtomic } = patch;

    /** Decides; what is not to be written has its outcome by that. */
    const plan = async (
      collection: Collection,
      document: RecordDocument,
      outcomes: Map<string, Outcome>,
    ): Promise<Planned | undefined> => {
      const by = cause.principal.id;
      try {
        const asked = { caller, ifMatch: undefined, change };
        const decision = await decideChange(collection, asked, document, { by, at: now(), follow });
        if (decision !== undefined) return { document, decision, named: namedBy(collection, document, decision) };
        outcomes.set(document._id, { kind: 'unchanged' });
      } catch (error) {
        outcomes.set(document._id, refusedBy(error, collection));
      }
      return undefined;
    };

    const write = async (collection: Collection, { document }: Planned): Promise<Outcome | undefined> => {
      const demand = async (current: RecordDocument): Promise<void> => {
        if (current === document) return;
        const seeing = { ...matching, caller: await follow(collection, caller, [current]) };
        if (!meets(collection, seeing, current, now())) throw new MatchesNoMore();
      };
      try {
        const asked = { id: document._id, caller, ifMatch: undefined, change, demand };
        const how = { current: document, ...(isAtomic ? { tries: atomicTries } : {}) };
        const written = await applyChange(cause, collection, asked, how);
        if (written === undefined) return undefined;
        return written.event === undefined ? { kind: 'unchanged' } : { kind: 'written', eventId: written.event.id };
      } catch (error) {
        if (error instanceof MatchesNoMore) return undefined;
        if (isOutdated(error)) throw error;
        return refusedBy(error, collection);
      }
    };

    /** All of them are over when it returns or throws. */
    const writeTogether = async (
      collection: Collection,
      planned: readonly Planned[],
      outcomes: Map<string, Outcome>,
    ): Promise<void> => {
      const settled = await Promise.allSettled(planned.map((each) => write(collection, each)));
      const failures: Error[] = [];
      for (const [index, each] of settled.entries()) {
        const id = planned[index]?.document._id;
        if (each.status === 'rejected') failures.push(each.reason as Error);
        else if (id !== undefined && each.value !== undefined) outcomes.set(id, each.value);
      }
      const failure = failures.find((each) => !isOutdated(each)) ?? failures[0];
      if (failure !== undefined) throw failure;
    };

    /** Says what would become of them. */
    const rehearse = async (
      collection: Collection,
      planned: readonly Planned[],
      outcomes: Map<string, Outcome>,
    ): Promise<void> => {
      const named = planned.flatMap((of) => of.named.map((each) => ({ ...each, of })));
      const missing =
        named.length === 0
          ? []
          : await events.transaction((session) => findMissing(lookup, named, { caller, at: now(), session }));
      const missed = Map.groupBy(missing, ({ of }) => of);
      for (const each of planned) {
        const own = missed.get(each);
        outcomes.set(each.document._id, own === undefined ? { kind: 'written' } : refusedBy(notThere(own), collection));
      }
    };

    return async ({ ids, isTimeUp }) => {
      /** Those that this chunk is about: fewer where they are large, or the time is up. */
      let scope: readonly string[] | undefined;
      const outcomes = new Map<string, Outcome>();
      const isWritten = (id: string): boolean => outcomes.get(id)?.kind === 'written';
      await underDefinition(registry, name, async (collection) => {
        demandMatchable(collection, matching);
        // What an outdated definition has said of the others is to be said by the one of now.
        for (const id of outcomes.keys()) if (!isWritten(id)) outcomes.delete(id);
        const waiting = (scope ?? ids).filter((id) => !isWritten(id));
        const how = { at: now(), isWhole: scope !== undefined };
        const read = await readMatching(events.db, collection, matching, waiting, how);
        scope ??= ids.slice(0, read.through);
        const planned: Planned[] = [];
        for await (const document of givingWay(read.documents)) {
          const each = await plan(collection, document, outcomes);
          if (each !== undefined) planned.push(each);
        }
        if (dryRun) {
          await rehearse(collection, planned, outcomes);
          return;
        }
        for (const some of inSteps(planned)) {
          await writeTogether(collection, some, outcomes);
          const upTo = scope.indexOf(some.at(-1)?.document._id ?? '') + 1;
          if (!isTimeUp() || scope.slice(upTo).some(isWritten)) continue;
          scope = scope.slice(0, upTo);
          return;
        }
      });
      return { outcomes, through: scope?.length ?? 0 };
    };
  };
}

/** What names others anew goes alone, in a transaction: those that name the same record would meet one another. */
function inSteps(planned: readonly Planned[]): readonly (readonly Planned[])[] {
  const steps: Planned[][] = [];
  for (const each of planned) {
    const last = steps.at(-1);
    const goesAlong = each.named.length === 0 && last !== undefined && last.length < together;
    if (goesAlong && last[0]?.named.length === 0) last.push(each);
    else steps.push([each]);
  }
  return steps;
}
