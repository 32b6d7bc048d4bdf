import { AsyncLocalStorage } from 'node:async_hooks';

import { Fault } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey, together } from '@causeway/events';
import type { Creation, Events, Outcome, RecordedWrite } from '@causeway/events';
import { MongoServerError } from 'mongodb';
import type { ClientSession } from 'mongodb';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { Caller } from '../rules/rule.ts';
import { findMissing, holdNamed, notThere } from './keep-references.ts';
import type { Lookup } from './lookup.ts';
import type { NamedRecord } from './referenced-ids.ts';

/** A record that is to be created, and the records that it names. */
export interface ReferringCreation {
  readonly cause: Cause;
  readonly collection: Collection;
  readonly creation: Creation<RecordDocument>;
  readonly named: readonly NamedRecord[];
  readonly caller: Caller;
  readonly at: Date;
}

type Written = RecordedWrite<RecordDocument>;

/** Of one that waits: its event is recorded as part of the call that asked for it. */
interface Waiting extends ReferringCreation {
  readonly inItsContext: <T>(work: () => T) => T;
}

/** Whether MongoDB has refused a record. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof DuplicateKey || error instanceof MongoServerError;

/**
 * Makes what creates records that name others. Those that come while one transaction is under way go together in the next: each would meet
 * the others that name the same record, and be made anew.
 *
 * @returns it throws fault `reference-not-found`, and what `RecordedCollection.create` throws; OutdatedDefinition
 */
export function createCreateReferring({
  events,
  registry,
}: {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: Pick<CollectionRegistry, 'get' | 'reload'>;
}) {
  const lookup: Lookup = { db: events.db, registry };
  const lanes = new Map<string, (item: Waiting) => Promise<Written>>();

  const all = async (items: readonly Waiting[]): Promise<readonly Outcome<Written>[]> => {
    try {
      return await events.transaction((session) => createAll(lookup, items, session));
    } catch (error) {
      if (!isRefusal(error) || items.length === 1) throw error;
      // One of them it was: each by itself is told why.
      const outcomes: Outcome<Written>[] = [];
      for (const item of items) outcomes.push(...(await alone(item)));
      return outcomes;
    }
  };
  const alone = (item: Waiting): Promise<readonly Outcome<Written>[]> =>
    events.transaction((session) => createAll(lookup, [item], session)).catch((error: unknown) => [{ error }]);

  return async (given: ReferringCreation): Promise<Written> => {
    const { id } = given.collection;
    const lane = lanes.get(id) ?? together(all, { mostAtOnce: 1 });
    lanes.set(id, lane);
    return await lane({ ...given, inItsContext: AsyncLocalStorage.snapshot() });
  };
}

async function createAll(
  lookup: Lookup,
  items: readonly Waiting[],
  session: ClientSession,
): Promise<readonly Outcome<Written>[]> {
  const missing = new Map<Waiting, readonly NamedRecord[]>();
  for (const [caller, own] of Map.groupBy(items, (item) => item.caller)) {
    const named = own.flatMap((item) => item.named.map((each) => ({ ...each, item })));
    const at = own[0]?.at ?? new Date();
    for (const [item, each] of Map.groupBy(
      await findMissing(lookup, named, { caller, at, session }),
      (one) => one.item,
    )) {
      missing.set(item, each);
    }
  }
  const good = items.filter((item) => !missing.has(item));
  await holdNamed(
    lookup,
    good.flatMap(({ named }) => named),
    { session },
  );
  const outcomes: Outcome<Written>[] = [];
  for (const item of items) {
    const { cause, collection, creation, inItsContext } = item;
    const own = missing.get(item);
    if (own === undefined) {
      outcomes.push(
        await inItsContext(() => collection.records.create(cause, creation, { session })).then(
          (value) => ({ value }),
          asOutcome,
        ),
      );
    } else outcomes.push({ error: notThere(own) });
  }
  return outcomes;
}

/** A fault, such as an event that is too large, is one record's, and nothing of it has been written. */
function asOutcome(error: unknown): { readonly error: unknown } {
  if (error instanceof Fault) return { error };
  throw error;
}
