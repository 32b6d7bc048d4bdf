import { serviceOf, topicOf } from '@causeway/contracts';
import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';

import type { Delivery } from '../consumer/deliver.ts';
import type { Handler } from '../consumer/handler.ts';
import type { ParkLost } from '../consumer/park-lost.ts';
import type { RunPlaces, Turn } from '../consumer/run-places.ts';
import type { TopicPartition } from '../kafka/port.ts';
import type { ProducerLog } from '../log/producer-log.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { CatchUpRows } from './catch-up-rows.ts';
import { startCatchUp, type CatchUp } from './catch-up.ts';

/** How {@link createCatchUps} is wired. */
export interface CatchUpsOptions {
  readonly db: Db;
  readonly handlers: readonly Handler[];
  readonly rows: CatchUpRows;
  /** @throws where there is no way to the log behind a topic */
  readonly logs: (topic: string) => ProducerLog;
  readonly places: RunPlaces;
  readonly deliver: Delivery;
  readonly parkLost: ParkLost;
  readonly logger: RelayLogger;
}

/** New handlers of a service on their way through what was published before they were there, at the replica that has the partition. */
export interface CatchUps {
  /** @throws where a handler that begins at the beginning takes events whose log cannot be reached */
  check(): void;
  /** Goes on with what is not finished of partitions that are ours now. */
  begin(partitions: readonly TopicPartition[]): Promise<void>;
  /** Leaves partitions to whoever comes next; resolves once nothing of them is in hand. */
  end(partitions: readonly TopicPartition[]): Promise<void>;
  /** Whether what Kafka delivers of a partition is for a handler; see {@link CatchUp.admits}. */
  admits(handler: Handler, of: TopicPartition, turn: Turn): boolean | Promise<boolean>;
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

const topicsOf = ({ on }: Handler): Set<string> => new Set(on.map(({ type }) => topicOf(serviceOf(type))));

/** Makes the catch-ups of one replica. */
export const createCatchUps = (options: CatchUpsOptions): CatchUps => {
  const { db, rows, logs, places, deliver, parkLost, logger } = options;
  const declared = options.handlers.filter(({ from }) => from === 'beginning');
  const running = new Map<string, Map<string, CatchUp>>();

  /** Those that have been so since they first came; what has been at work before is not begun anew. */
  const beginners = async (): Promise<Handler[]> => {
    const known = db.collection<{ _id: string; from?: string }>('handlers');
    const names = { _id: { $in: declared.map(({ name }) => name) }, from: 'beginning' };
    const found = new Set((await known.find(names).toArray()).map(({ _id }) => _id));
    return declared.filter(({ name }) => found.has(name));
  };

  const leave = async (catchUps: ReadonlyMap<string, CatchUp> | undefined): Promise<void> => {
    await Promise.all([...(catchUps?.values() ?? [])].map((each) => each.leave()));
  };

  const beginOne = async (handler: Handler, of: TopicPartition, after: Promise<void>): Promise<CatchUp | undefined> => {
    const owner = randomUUID();
    const name = { handler: handler.name, topic: of.topic, partition: of.partition };
    const pos = await rows.take(name, owner);
    if (pos === undefined) return undefined;
    const log = logs(of.topic);
    return startCatchUp({ handler, name, owner, pos, rows, log, places, deliver, parkLost, after, logger });
  };

  return {
    check() {
      for (const handler of declared) for (const topic of topicsOf(handler)) logs(topic);
    },
    async begin(partitions) {
      if (declared.length === 0) return;
      const handlers = await beginners();
      const begun = partitions.map(async (of) => {
        const key = keyOf(of);
        const after = leave(running.get(key));
        const own = new Map<string, CatchUp>();
        const taking = handlers.filter((handler) => topicsOf(handler).has(of.topic));
        await Promise.all(
          taking.map(async (handler) => {
            const catchUp = await beginOne(handler, of, after);
            if (catchUp !== undefined) own.set(handler.name, catchUp);
          }),
        );
        running.set(key, own);
      });
      await Promise.all(begun);
    },
    async end(partitions) {
      await Promise.all(
        partitions.map(async (of) => {
          const key = keyOf(of);
          const own = running.get(key);
          await leave(own);
          // Where this took too long, the partition may have been given to us anew.
          if (running.get(key) === own) running.delete(key);
        }),
      );
    },
    admits: (handler, of, turn) => running.get(keyOf(of))?.get(handler.name)?.admits(turn) ?? true,
  };
};
