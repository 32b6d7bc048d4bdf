import { serviceOf, topicOf } from '@causeway/contracts';
import { createGauges, type Observation } from '@causeway/telemetry';
import { setTimeout as delay } from 'node:timers/promises';

import type { KafkaPort, TopicPartition } from '../kafka/port.ts';
import type { Handler } from './handler.ts';

/** How far a handler is behind in the partitions that this process has. */
export interface Lag {
  /** Records from the first that it has not settled to the end, those that it does not take included. */
  readonly records: number;
  /** Age of the oldest event that it has not settled. */
  readonly ageMs: number;
}

/** How {@link createHandlerLag} is wired. */
export interface HandlerLagOptions {
  readonly kafka: Pick<KafkaPort, 'endOffsets'>;
  readonly handlers: readonly Handler[];
  /** How often the ends of the partitions are asked for. */
  readonly everyMs: number;
}

/** Follows how far the handlers of this process are behind. */
export interface HandlerLag {
  /** A partition is ours, from an offset on. */
  assigned(partition: TopicPartition, start: bigint): void;
  revoked(partition: TopicPartition): void;
  /** A record has come in, whether or not anybody takes it. */
  received(partition: TopicPartition, offset: bigint): void;
  /**
   * A handler is to settle an event.
   *
   * @returns to be called once it has
   */
  taken(handler: string, partition: TopicPartition, offset: bigint, recordedMs: number): () => void;
  lagOf(handler: Handler): Lag;
  start(): void;
  stop(): Promise<void>;
}

interface Taken {
  /** Negative where it came from its producer's log. */
  readonly offset: bigint;
  readonly recordedMs: number;
}

interface Followed {
  readonly topic: string;
  /** The first offset that has not come in. */
  next: bigint;
  /** As of the last time that Kafka was asked. */
  end: bigint;
  /** Since when records are known to be there that have not come in, without one that did; on `Date.now()`. */
  waitingSince: number | undefined;
  /** What each handler has not settled, in the order in which it came. */
  readonly open: Map<string, Set<Taken>>;
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

const topicsOf = ({ on }: Handler): Set<string> => new Set(on.map(({ type }) => topicOf(serviceOf(type))));

const lagIn = ({ next, end, waitingSince, open }: Followed, handler: string): Lag => {
  const [first] = open.get(handler) ?? [];
  const from = first === undefined || first.offset < 0n ? next : first.offset;
  const since = first?.recordedMs ?? (end > next ? waitingSince : undefined);
  return {
    records: Math.max(0, Number(end - from), open.get(handler)?.size ?? 0),
    ageMs: since === undefined ? 0 : Math.max(0, Date.now() - since),
  };
};

/** Makes what follows the lag of a service's handlers, and its gauges. */
export const createHandlerLag = ({ kafka, handlers, everyMs }: HandlerLagOptions): HandlerLag => {
  const followed = new Map<string, Followed>();
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let endGauges: (() => void) | undefined;

  const ask = async (topic: string): Promise<void> => {
    const ends = await kafka.endOffsets(topic);
    for (const [partition, end] of ends) {
      const state = followed.get(keyOf({ topic, partition }));
      if (state === undefined) continue;
      state.end = end;
      if (end <= state.next) state.waitingSince = undefined;
      else state.waitingSince ??= Date.now();
    }
  };

  const following = async (): Promise<void> => {
    while (!signal.aborted) {
      const topics = new Set([...followed.values()].map(({ topic }) => topic));
      // Without an answer the last one holds: what has not come in grows old meanwhile.
      for (const topic of topics) await ask(topic).catch(() => undefined);
      await delay(everyMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  };

  const lagOf = (handler: Handler): Lag => {
    const topics = topicsOf(handler);
    let [records, ageMs] = [0, 0];
    for (const state of followed.values()) {
      if (!topics.has(state.topic)) continue;
      const lag = lagIn(state, handler.name);
      records += lag.records;
      ageMs = Math.max(ageMs, lag.ageMs);
    }
    return { records, ageMs };
  };

  const gauge = (read: (lag: Lag) => number) => (): Observation[] =>
    handlers.map((handler) => ({ value: read(lagOf(handler)), attributes: { handler: handler.name } }));

  return {
    lagOf,
    assigned: (partition, start) =>
      void followed.set(keyOf(partition), {
        ...{ topic: partition.topic, next: start, end: start, waitingSince: undefined },
        open: new Map(),
      }),
    revoked: (partition) => void followed.delete(keyOf(partition)),
    received(partition, offset) {
      const state = followed.get(keyOf(partition));
      if (state === undefined) return;
      state.next = offset + 1n;
      if (state.end < state.next) state.end = state.next;
      state.waitingSince = undefined;
    },
    taken(handler, partition, offset, recordedMs) {
      const state = followed.get(keyOf(partition));
      if (state === undefined) return () => undefined;
      const open = state.open.get(handler) ?? new Set<Taken>();
      state.open.set(handler, open);
      const entry = { offset, recordedMs };
      open.add(entry);
      return () => void open.delete(entry);
    },
    start() {
      const ends = [
        createGauges(
          'causeway.handler.lag.records',
          {
            description: 'Records from the first that a handler has not settled to the end of its partitions',
            unit: '{record}',
          },
          gauge(({ records }) => records),
        ),
        createGauges(
          'causeway.handler.lag.age',
          { description: 'Age of the oldest event that a handler has not settled; 0: there is none', unit: 's' },
          gauge(({ ageMs }) => ageMs / 1000),
        ),
      ];
      endGauges = () => ends.forEach((end) => end());
      running = following();
    },
    async stop() {
      endGauges?.();
      stopping.abort();
      await running;
    },
  };
};
