import {
  eventRetentionMs,
  eventSegmentMs,
  handlersTopic,
  serviceOf,
  topicOf,
  type EventContract,
} from '@causeway/contracts';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadConcern, ReadPreference, type ClientSession, type Db, type MongoClient } from 'mongodb';

import { createHandling, type Handling } from './consumer/create-handling.ts';
import { publishHandlers } from './consumer/handler-registry.ts';
import type { Handler } from './consumer/handler.ts';
import { createInbox } from './consumer/inbox.ts';
import { createEffects, type EffectsOf } from './effects/effects.ts';
import { createFindEvent, type FindEvent } from './effects/find-event.ts';
import { createPersons, type Persons } from './erasure/persons.ts';
import { createRedaction, type Redaction } from './erasure/redaction.ts';
import type { Failpoint } from './failpoint.ts';
import { createFlowGauges } from './health/flow-gauges.ts';
import { startFlowSampler } from './health/flow-sampler.ts';
import { KafkaTopicError } from './kafka/errors.ts';
import type { KafkaPort } from './kafka/port.ts';
import { createEventLog, type EventLog } from './log/event-log.ts';
import { ownProducerLog, reachableLogs, type ProducerLogs } from './log/producer-log.ts';
import { endAbandonedTransactions } from './recording/abandoned-transactions.ts';
import { recordedCollection, type RecordedCollection } from './recording/recorded-collection.ts';
import { tombstones, type RecordedDocument } from './recording/recorded-document.ts';
import { refusedWrites } from './recording/refused-writes.ts';
import { SessionJournal, type Bell } from './recording/session-journal.ts';
import { runTransaction } from './recording/transaction.ts';
import { discards, redrives, type DiscardDocument, type RedriveDocument } from './redrive/redrive.model.ts';
import type { Redrives } from './redrive/redrives.ts';
import { rebuilds, type RebuildDocument } from './rebuild/rebuild.model.ts';
import type { Rebuilds } from './rebuild/rebuilds.ts';
import { replays, type ReplayDocument } from './replay/replay.model.ts';
import type { Replays } from './replay/replays.ts';
import { createOutboxRows } from './relay/outbox-rows.ts';
import { createPublisher } from './relay/publisher.ts';
import { createRelayMetrics, type RelayLogger } from './relay/relay-metrics.ts';
import { createRelay, type Relay } from './relay/relay.ts';
import { createSlotLeases } from './relay/slot-leases.ts';
import { createReaper } from './retention/reaper.ts';
import { retentionPeriods } from './retention/retention-periods.ts';
import { withSagas } from './saga/run-saga.ts';
import { startBeacon } from './stream/beacon.ts';
import { createCommitStream, type CommitStream } from './stream/commit-stream.ts';
import { clusterTimeOf, formatPosition, laterOf } from './stream/position.ts';
import type { TimerSchedule } from './timers/schedule-timers.ts';
import type { TimerOf } from './timers/timer-of.ts';
import { timers as timerRows, timerThing, type TimerDocument } from './timers/timer.model.ts';
import { createTimers } from './timers/timers.ts';

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
  /** How long a transaction may be open before it counts as left by a process that died; default 12,000. */
  readonly abandonedAfterMs?: number;
  /** How often what waits is counted for the metrics; default 10,000. */
  readonly sampleMs?: number;
  /** Days for which the log is kept; default 35. The inbox and tombstones are kept a little longer: see {@link retentionPeriods}. */
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
export interface Events extends TimerSchedule {
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
  /** Runs a transaction in which writes may be recorded; see {@link runTransaction}. */
  transaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T>;
  readonly findEvent: FindEvent;
  readonly effectsOf: EffectsOf;
  readonly timerOf: TimerOf;
  /** What is parked, and the ways out of it; a service without handlers has none. */
  readonly redrives: Redrives | undefined;
  /** Who is erased: asked in the transaction of whatever makes something of a person. */
  readonly persons: Persons;
  /** Takes a person out of the log and the parking lot. */
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

/** Kafka may be on its way up: so long is it waited for. */
const startMs = 60_000;
const drainMs = 4_000;

/** A recorded event is at most 2 MiB as BSON; as JSON with its headers it stays under this. */
const maxMessageBytes = 4 * 1024 * 1024;

/** Makes a service's events; nothing runs before `start()`. */
export const createEvents = (options: EventsOptions): Events => {
  const { service, client, kafka, partitions, logger, handlers: declared = [], now = () => new Date() } = options;
  const db = client.db(options.database, {
    readConcern: new ReadConcern('majority'),
    readPreference: ReadPreference.primary,
    writeConcern: { w: 'majority' },
  });
  const topic = topicOf(service);
  const leaseMs = options.leaseMs ?? 6_000;
  const { abandonedAfterMs: afterMs } = options;
  const journal = new SessionJournal();
  const stopping = new AbortController();
  const log = createEventLog(db, now);
  const rows = createOutboxRows(db);
  const stream = createCommitStream(db, logger);
  const inbox = createInbox(db, now);
  const metrics = createRelayMetrics(topic);
  const leases = createSlotLeases({ db, slots: partitions, instance: randomUUID(), ttlMs: leaseMs, metrics });
  const { sampleMs = 10_000 } = options;
  const periods = retentionPeriods(options.retentionDays);
  const reaper = createReaper({
    db,
    slots: partitions,
    periods,
    projections: declared.flatMap((each) => (each.kind === 'projection' ? [each.collection] : [])),
    leads: () => leases.holds(0),
    everyMs: options.reapMs ?? 3_600_000,
    logger,
  });
  const recorded = new Map<string, RecordedCollection<RecordedDocument>>();
  let relay: Relay | undefined;
  let endBeacon: (() => void) | undefined;
  let endWatch: (() => void) | undefined;
  let endHealth: (() => Promise<void>) | undefined;

  const bell: Bell = (row) => {
    void options.failpoint?.('recorded');
    const subject = row.outbox[0]?.subject;
    if (subject !== undefined) relay?.ring(row, subject);
  };

  const transaction: Events['transaction'] = async (work) => {
    const { result, session } = await runTransaction(client, journal, work);
    for (const row of journal.rowsOf(session)) bell(row);
    return result;
  };

  const collections = (): string[] => [...recorded.keys(), tombstones];

  const ensureTopics = async (): Promise<void> => {
    // The number is part of every subject's place: another one would break the order of all of them.
    const settings = db.collection<{ _id: string; value: number }>('settings');
    await settings.updateOne({ _id: 'slots' }, { $setOnInsert: { value: partitions } }, { upsert: true });
    const fixed = (await settings.findOne({ _id: 'slots' }))?.value;
    if (fixed !== partitions) {
      throw new KafkaTopicError(
        topic,
        `${service} was created with ${fixed} slots, and KAFKA_PARTITIONS says ${partitions}. The number is fixed: set it back.`,
      );
    }
    const topics = new Set([topic, ...handlers.flatMap(({ on }) => on.map(({ type }) => topicOf(serviceOf(type))))]);
    const config = {
      'max.message.bytes': String(maxMessageBytes),
      'retention.ms': String(eventRetentionMs),
      'segment.ms': String(eventSegmentMs),
    };
    await kafka.ensureTopics([
      ...[...topics].map((name) => ({ name, partitions, config })),
      { name: handlersTopic, partitions: 1, config: { 'cleanup.policy': 'compact' } },
    ]);
  };

  /** Tries until it works or the time is up: in a fresh stack Kafka may come up after us. */
  const untilKafka = async (work: () => Promise<void>): Promise<void> => {
    const deadline = performance.now() + startMs;
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof KafkaTopicError || performance.now() > deadline || stopping.signal.aborted) throw error;
        logger.warn({ error }, 'Kafka is not ready yet; it is tried again');
        await delay(200 + Math.random() * 300, undefined, { signal: stopping.signal });
      }
    }
  };

  const createIndexes = async (): Promise<void> => {
    await Promise.all([
      log.createIndexes(),
      inbox.createIndexes(),
      leases.createIndexes(),
      timers.createIndexes(),
      reaper.createIndexes(),
      ...collections().map((name) => rows.createIndex(name)),
    ]);
  };

  const startRelay = async (): Promise<void> => {
    const publisher = await createPublisher({ db, kafka, topic, metrics });
    const own = createRelay({
      slots: partitions,
      leases,
      log,
      rows,
      publisher,
      collections,
      logger,
      metrics,
      roundMs: leaseMs / 4,
      sweepMs: options.sweepMs ?? 10_000,
      failpoint: options.failpoint,
    });
    stream.subscribe(({ collection, id, deleted, event }) => {
      if (event === undefined || !own.isNews(event.id)) return;
      own.ring(deleted ? { collection: tombstones, id: `${collection}/${id}` } : { collection, id }, event.subject);
    });
    stream.onGap(() => own.sweepSoon());
    await own.start();
    relay = own;
  };

  /** One replica counts for all, the leader of the first slot, so that sums over the replicas are right. */
  const startHealth = (): void => {
    const leads = (): boolean => leases.holds(0);
    const sampler = startFlowSampler({ db, collections, leads, everyMs: sampleMs, logger });
    const endGauges = createFlowGauges({
      sample: () => sampler.sample,
      handlers: handlers.map(({ name }) => name),
      slots: () => leases.held.size,
    });
    refusedWrites().add(0);
    endHealth = () => {
      endGauges();
      return sampler.stop();
    };
  };

  const collection: Events['collection'] = <Doc extends RecordedDocument>(
    name: string,
    { thing, reusableIds = false }: CollectionOptions,
  ) => {
    const own = { service, db, journal, bell, transaction, now, thing, reusableIds };
    const made = recordedCollection<Doc>(name, own);
    recorded.set(name, made as unknown as RecordedCollection<RecordedDocument>);
    return made;
  };

  const timerDocuments = collection<TimerDocument>(timerRows, { thing: timerThing });
  const timers = createTimers({
    ...{ service, db, slots: partitions, leases, stream, now, logger, timers: options.timers ?? [] },
    collection: timerDocuments,
    handled: declared.flatMap(({ on }) => on),
  });
  const handlers = withSagas(declared, { collection, timers, timerDocuments, now });

  const handlingOf = (): Handling => {
    const orders = collection<RedriveDocument>(redrives, { thing: 'redrive' });
    const discarded = collection<DiscardDocument>(discards, { thing: 'discard' });
    const replayOrders = collection<ReplayDocument>(replays, { thing: 'replay' });
    const rebuildOrders = collection<RebuildDocument>(rebuilds, { thing: 'rebuild' });
    const logs = reachableLogs(options.producerLogs, topic, ownProducerLog(log));
    const own = { service, db, kafka, handlers, inbox, journal, orders, discarded, transaction, now, logger };
    const { tooOldMs } = periods;
    const { handlerRuns, heldRecords, failpoint } = options;
    return createHandling({
      ...own,
      tooOldMs,
      sampleMs,
      replayOrders,
      rebuildOrders,
      logs,
      handlerRuns,
      heldRecords,
      failpoint,
    });
  };
  const handling = handlers.length === 0 ? undefined : handlingOf();

  return {
    db,
    log,
    stream,
    transaction,
    position() {
      const position = laterOf(clusterTimeOf(client), stream.position);
      return position === undefined ? undefined : formatPosition(position);
    },
    findEvent: createFindEvent(db, log, collections),
    effectsOf: createEffects(db, inbox, handlers),
    timerOf: timers.timerOf,
    schedule: timers.schedule,
    unschedule: timers.unschedule,
    redrives: handling?.redrives,
    persons: createPersons(db),
    redaction: createRedaction({
      ...{ db, collections, log: log.collection, handled: inbox.collection, now },
      closeLane: handling?.parking.close,
    }),
    replays: handling?.replays,
    rebuilds: handling?.rebuilds,
    get ready() {
      return { relay: relay?.ready ?? false, stream: stream.ready };
    },
    collection,
    prepare: (name) => rows.createIndex(name),
    async start() {
      endWatch = endAbandonedTransactions({ client, logger, ...(afterMs === undefined ? {} : { afterMs }) });
      await createIndexes();
      await untilKafka(ensureTopics);
      await stream.start();
      await untilKafka(startRelay);
      startHealth();
      timers.start();
      reaper.start();
      if (options.beacon === true) endBeacon = startBeacon(db, () => leases.holds(0));
      await untilKafka(() => publishHandlers(db, kafka, service, handlers, now));
      await handling?.start();
    },
    async stop() {
      const left = handling?.stop();
      stopping.abort();
      await left;
      await timers.stop();
      endBeacon?.();
      endWatch?.();
      await Promise.all([endHealth?.(), reaper.stop()]);
      await relay?.stop(drainMs);
      await stream.stop();
    },
  };
};
