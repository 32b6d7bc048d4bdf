import type { Db } from 'mongodb';

import { KafkaError, KafkaNotAssignedError } from '../kafka/errors.ts';
import type { KafkaConsumer, TopicPartition } from '../kafka/port.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { PartitionWork } from './partition-work.ts';

/** A row of `positions`: the last event handled of a partition, to go on from in the producer's log if Kafka forgets. */
interface PositionRow {
  readonly _id: string;
  readonly event: string;
  readonly offset: string;
}

/** A partition that is ours, and what of it has been told. */
export interface AssignedWork extends TopicPartition {
  readonly work: PartitionWork;
  /** The offset that Kafka has. */
  committed: bigint;
  /** The event that `positions` has, as far as we have written it. */
  kept: string | undefined;
}

/** How {@link createOffsetCommits} is wired. */
export interface OffsetCommitsOptions {
  readonly db: Db;
  /** Undefined before the group was joined. */
  readonly consumer: () => KafkaConsumer | undefined;
  readonly assigned: () => Iterable<AssignedWork>;
  readonly logger: RelayLogger;
}

/** Tells Kafka and `positions` how far the partitions have come. */
export interface OffsetCommits {
  /** Commits soon what has been settled; many calls make one commit. */
  soon(): void;
  /** Commits now. Rejects where it was not taken. */
  flush(partitions: readonly AssignedWork[]): Promise<void>;
  /** The last event below the watermark that was kept of a partition, by us or by whoever had it before. */
  lastEvent(partition: TopicPartition): Promise<string | undefined>;
  stop(): void;
}

/** Commits are gathered for so long; what a crash leaves uncommitted is delivered again and found settled. */
const commitEveryMs = 200;

const idOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** Makes the commits of one consumer. */
export const createOffsetCommits = ({ db, consumer, assigned, logger }: OffsetCommitsOptions): OffsetCommits => {
  const positions = db.collection<PositionRow>('positions');
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  /** One after the other: an earlier watermark must not arrive after a later one. */
  let last: Promise<void> = Promise.resolve();

  const keep = async (partitions: readonly AssignedWork[]): Promise<void> => {
    const due = partitions.flatMap((each) => {
      const { event, next } = each.work;
      return event === undefined || event === each.kept ? [] : [{ each, event, offset: String(next) }];
    });
    if (due.length === 0) return;
    const updates = due.map(({ each, event, offset }) => ({
      updateOne: { filter: { _id: idOf(each) }, update: { $set: { event, offset } }, upsert: true },
    }));
    await positions.bulkWrite(updates, { ordered: false });
    for (const { each, event } of due) each.kept = event;
  };

  const commit = async (partitions: readonly AssignedWork[]): Promise<void> => {
    const due = partitions.flatMap((each) => {
      const { next } = each.work;
      return next === each.committed ? [] : [{ each, next }];
    });
    await keep(partitions);
    if (due.length === 0) return;
    await consumer()?.commit(due.map(({ each: { topic, partition }, next }) => ({ topic, partition, offset: next })));
    for (const { each, next } of due) each.committed = next;
  };

  const flush: OffsetCommits['flush'] = (partitions) => {
    const own = last.then(() => commit(partitions));
    last = own.catch(() => undefined);
    return own;
  };

  const flushAll = async (): Promise<void> => {
    try {
      await flush([...assigned()].filter(({ work }) => !work.leaving));
    } catch (error) {
      // Nothing is lost: it is delivered again, and found settled.
      if (error instanceof KafkaNotAssignedError) return;
      if (!(error instanceof KafkaError)) logger.warn({ error }, 'offsets were not committed; it is tried again');
      soon();
    }
  };

  const soon = (): void => {
    if (stopped) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void flushAll();
    }, commitEveryMs).unref();
  };

  return {
    soon,
    flush,
    lastEvent: async (partition) => (await positions.findOne({ _id: idOf(partition) }))?.event,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
};
