import type { Cause } from '@causeway/contracts';
import { OutOfTime } from '@causeway/events';
import type { Events, Idempotency, IdempotentRequest } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { EventIds } from '../records/event-ids.ts';
import type { RecordAnswer } from '../records/record.model.ts';
import { answerRecord } from '../records/record.model.ts';
import { demandAllCurrent, underDefinitions } from '../records/under-definitions.ts';
import type { AsLeft } from '../rules/follow/follow-records.ts';
import { createFollow } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { show } from '../rules/see.ts';
import { batchTooSlow } from './batch.errors.ts';
import { createBatchReferences } from './batch-references.ts';
import { decideBatch } from './decide-batch.ts';
import type { Operation } from './operation.ts';
import { readWorking } from './working-records.ts';
import { writeBatch } from './write-batch.ts';

/** For so long a batch may hold what it writes. */
export const batchMs = 5_000;

/** Runs transactions within the time of a batch. */
export type BatchTransaction = <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;

/** What {@link createRunBatch} is given. */
export interface RunBatchDependencies {
  readonly events: Pick<Events, 'db'>;
  readonly registry: CollectionRegistry;
  readonly transaction: BatchTransaction;
  /** Runs its effect within the same bound. */
  readonly idempotency: Idempotency;
  readonly now: () => Date;
}

/** What somebody wants to be done, all of it or nothing. */
export interface RunBatch {
  readonly operations: readonly Operation[];
  readonly caller: Caller;
  /** The call, where it may be repeated. */
  readonly request: IdempotentRequest | undefined;
  /** Whether the answer leaves the records out. */
  readonly minimal: boolean;
}

/** What has been done. */
export interface BatchAnswer {
  readonly batchId?: string;
  readonly results: readonly {
    readonly status: 200 | 201 | 204;
    readonly id: string;
    readonly revision: number;
    readonly record?: RecordAnswer;
  }[];
  readonly eventIds: readonly string[];
}

/**
 * Does several things to records of several collections in one transaction. Its events are recorded with it, grouped, and
 * so published only once it has committed.
 *
 * @returns the use case; it throws the fault of the first operation that fails, naming it, `batch-too-large`, `batch-too-slow`, and
 *   those of `Idempotency.run`
 */
export function createRunBatch({ events, registry, transaction, idempotency, now }: RunBatchDependencies) {
  const lookup = { db: events.db, registry };

  const attempt = async (
    cause: Cause,
    { operations, caller, minimal }: RunBatch,
    collections: ReadonlyMap<string, Collection>,
    session: ClientSession,
  ): Promise<BatchAnswer> => {
    const at = now();
    const until = performance.now() + batchMs;
    const isTimeUp = (): boolean => performance.now() > until;
    await demandAllCurrent(events.db, collections.values(), session);
    const records = await readWorking(namedIn(operations, collections), session);
    const asLeft: AsLeft = (target, id) => records.asLeft(target, id);
    const follow = createFollow(events.db, { session, asLeft });
    const references = createBatchReferences({
      lookup,
      asking: { caller, at, session, asLeft },
      ...{ by: cause.principal.id, records, follow },
    });
    const plan = await decideBatch(operations, {
      ...{ caller, by: cause.principal.id, at, collections, records, references, follow, isTimeUp },
    });
    const { batchId, events: recorded } = await writeBatch(cause, operations, plan, { lookup, session, at, caller });
    const eventIds = new EventIds();
    for (const { id } of recorded) eventIds.add(id);
    return {
      ...(batchId === undefined ? {} : { batchId }),
      results: plan.outcomes.map(({ status, id, revision, record }, index) => {
        const collection = collections.get(operations[index]?.collection ?? '');
        const isShown = record !== undefined && collection !== undefined && !minimal;
        return {
          ...{ status, id, revision },
          ...(isShown ? { record: answerRecord(show(collection, caller, record, { at })) } : {}),
        };
      }),
      eventIds: eventIds.named,
    };
  };

  return async (
    cause: Cause,
    command: RunBatch,
  ): Promise<{ readonly answer: BatchAnswer; readonly replayed: boolean }> => {
    const { request } = command;
    const names = [...new Set(command.operations.map(({ collection }) => collection))];
    try {
      return await underDefinitions(registry, names, async (collections) => {
        const effect = (session: ClientSession): Promise<BatchAnswer> => attempt(cause, command, collections, session);
        if (request !== undefined) return await idempotency.run(request, effect);
        return { answer: await transaction(effect), replayed: false };
      });
    } catch (error) {
      throw error instanceof OutOfTime ? batchTooSlow({ cause: error }) : error;
    }
  };
}

/** The ids that operations name, of records that are there before. */
function namedIn(
  operations: readonly Operation[],
  collections: ReadonlyMap<string, Collection>,
): ReadonlyMap<Collection, ReadonlySet<string>> {
  const named = new Map<Collection, Set<string>>();
  for (const operation of operations) {
    const collection = collections.get(operation.collection);
    if (collection === undefined || operation.op === 'create' || !('id' in operation.record)) continue;
    const ids = named.get(collection) ?? new Set();
    named.set(collection, ids.add(operation.record.id));
  }
  return named;
}
