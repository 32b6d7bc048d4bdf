import type { EventContract } from '@causeway/contracts';
import type { ClientSession, Db, MongoClient } from 'mongodb';

import type { Handler } from './consumer/handler.ts';
import type { CausedBy } from './effects/caused-by.ts';
import type { EffectsOf } from './effects/effects.ts';
import type { FindEvent } from './effects/find-event.ts';
import type { Persons } from './erasure/persons.ts';
import type { Redaction } from './erasure/redaction.ts';
import type { Failpoint } from './failpoint.ts';
import type { KafkaPort } from './kafka/port.ts';
import type { EventLog } from './log/event-log.ts';
import type { ProducerLogs } from './log/producer-log.ts';
import type { RecordedCollection } from './recording/recorded-collection.ts';
import type { RecordedDocument } from './recording/recorded-document.ts';
import type { TransactionBound } from './recording/transaction.ts';
import type { Redrives } from './redrive/redrives.ts';
import type { Rebuilds } from './rebuild/rebuilds.ts';
import type { Replays } from './replay/replays.ts';
import type { RelayLogger } from './relay/relay-metrics.ts';
import type { CommitStream } from './stream/commit-stream.ts';
import type { Settled } from './stream/settled.ts';
import type { TimerSchedule } from './timers/schedule-timers.ts';
import type { TimerOf } from './timers/timer-of.ts';

/** How a service's events are wired. */
export interface EventsOptions {
  /** The service's name, such as `auth`: its topic, its group, the `source` of its events. */
  readonly service: string;
  readonly client: MongoClient;
  /** Name of the service's database; left out: the one in the client's URL. */
  readonly database?: string;
  readonly kafka: KafkaPort;
  /** How many slots the service has, and partitions its topic. Fixed when the topic is created. */
  readonly partitions: number;
  readonly handlers?: readonly Handler[];
  /** Events that may be scheduled, beside those that `handlers` take. One stays declared as long as timers of it wait. */
  readonly timers?: readonly EventContract[];
  readonly logger: RelayLogger;
  /**
   * The logs of other services whose events it handles; without one, an event of it that Kafka has forgotten stops its partition
   * and is said aloud, and nothing of it can be replayed.
   */
  readonly producerLogs?: ProducerLogs;
  /** How many handlers run at once in this process, over all partitions; default 16. One that waits to be tried again does not count. */
  readonly handlerRuns?: number;
  /** How many records of each partition are held unsettled; default 1,000. Beyond it, and beyond 4 MiB, nothing more is taken in. */
  readonly heldRecords?: number;
  /** Writes a beacon each second, for feeds and caches that ask how far the commit stream has come. */
  readonly beacon?: boolean;
  readonly now?: () => Date;
  /** How long a slot's lease holds; default 6,000. A crashed replica's slots stand still for so long at most. */
  readonly leaseMs?: number;
  /** How often rows are looked for that a bell has missed; default 10,000. */
  readonly sweepMs?: number;
  /** For tests: called at the moments that `failpoint.ts` names. */
  readonly failpoint?: Failpoint;
  /** How long a transaction may take, an attempt of a transaction or batch handler too; default 10,000. Then it is undone. */
  readonly transactionMs?: number;
  /** How long an attempt of an external handler may take; default 30,000. Then it has failed. */
  readonly externalMs?: number;
  /**
   * How long an event waits, without being counted, for what passes by itself; default 600,000 for what is not published yet, 120,000 for
   * writes of others of the same documents. MongoDB is waited for without end.
   */
  readonly patienceMs?: number;
  /** How long a transaction may be open before it counts as left by a process that died; default 12,000. */
  readonly abandonedAfterMs?: number;
  /** How often what waits is counted for the metrics; default 10,000. */
  readonly sampleMs?: number;
  /** Days for which the log is kept; default 35. The inbox and tombstones are kept a little longer: see `retention/retention-periods.ts`. */
  readonly retentionDays?: number;
  /** How often what has been kept for so long is removed; default 3,600,000. */
  readonly reapMs?: number;
}

/** A collection whose writes record events. */
export interface CollectionOptions {
  /** The kind of thing that its subjects name: `account` in `account/usr_…`. */
  readonly thing: string;
  /** Whether an `_id` may come back after a delete: then it goes on from the tombstone's revision. */
  readonly reusableIds?: boolean;
}

/** Whether the parts of {@link Events} work. */
export interface EventsReadiness {
  readonly relay: boolean;
  readonly stream: boolean;
}

/** Everything that a service does with events. */
export interface Events extends TimerSchedule, Settled {
  /** The service's database, read and written at majority. */
  readonly db: Db;
  readonly log: EventLog;
  readonly stream: CommitStream;
  /** The collection of that name; the only way to write it. May be called before and after the start. */
  collection<Doc extends RecordedDocument>(name: string, options: CollectionOptions): RecordedCollection<Doc>;
  /** Creates what a collection needs that was first named after the start. */
  prepare(name: string): Promise<void>;
  /**
   * Where this process stands in the order of commits: at or after all that it has written and read. What answers carry
   * as `Causeway-Position`.
   */
  position(): string | undefined;
  /** Runs a transaction in which writes may be recorded; see `recording/transaction.ts`. The signal is aborted when its time is up. */
  transaction<T>(
    work: (session: ClientSession, signal: AbortSignal) => Promise<T>,
    bound?: TransactionBound,
  ): Promise<T>;
  /**
   * How many documents have events that wait to be published, `limit` where there are as many or more. Whoever records many waits while they
   * are too many, so that others' events do not wait behind them.
   */
  backlog(limit: number): Promise<number>;
  readonly findEvent: FindEvent;
  readonly effectsOf: EffectsOf;
  readonly causedBy: CausedBy;
  readonly timerOf: TimerOf;
  /** What is parked, and the ways out of it; a service without handlers has none. */
  readonly redrives: Redrives | undefined;
  /** Who is erased: asked in the transaction of whatever makes something of a person. */
  readonly persons: Persons;
  /** When Kafka has dropped, at the latest, what this service has published by a time; as its topic is set now. */
  kafkaUntil(from: Date): Promise<Date>;
  /** Takes a person out of the log, the parking lot and the timers. */
  readonly redaction: Redaction;
  /** Has handlers go through past events again; a service without handlers has none. */
  readonly replays: Replays | undefined;
  /** Builds read models anew; a service without handlers has none. */
  readonly rebuilds: Rebuilds | undefined;
  readonly ready: EventsReadiness;
  /** Indexes, topics, commit stream, relay, consumer; in this order. */
  start(): Promise<void>;
  /** Leaves the group, publishes what waits (bounded), gives the slots back. */
  stop(): Promise<void>;
}
