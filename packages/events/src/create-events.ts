import { topicOf } from '@causeway/contracts';
import { randomUUID } from 'node:crypto';
import { ReadConcern, ReadPreference } from 'mongodb';

import { createHandling, type Handling } from './consumer/create-handling.ts';
import { publishHandlers } from './consumer/handler-registry.ts';
import { createInbox } from './consumer/inbox.ts';
import { createCausedBy } from './effects/caused-by.ts';
import { createEffects } from './effects/effects.ts';
import { createFindEvent } from './effects/find-event.ts';
import { kafkaUntil } from './erasure/kafka-until.ts';
import { createPersons } from './erasure/persons.ts';
import { createRedaction } from './erasure/redaction.ts';
import { createRedactTimers } from './erasure/redact-timers.ts';
import { createUnnameErased } from './erasure/unname-erased.ts';
import type { CollectionOptions, Events, EventsOptions } from './events.ts';
import { createFlowGauges } from './health/flow-gauges.ts';
import { startFlowSampler } from './health/flow-sampler.ts';
import { ensureEventTopics, topicsOf, untilKafka } from './kafka/event-topics.ts';
import { createEventLog } from './log/event-log.ts';
import { logClock } from './log/log-clock.ts';
import { ownProducerLog, reachableLogs } from './log/producer-log.ts';
import { endAbandonedTransactions } from './recording/abandoned-transactions.ts';
import { recordedCollection, type RecordedCollection } from './recording/recorded-collection.ts';
import { tombstones, type RecordedDocument } from './recording/recorded-document.ts';
import { refusedWrites } from './recording/refused-writes.ts';
import { SessionJournal, type Bell } from './recording/session-journal.ts';
import { runTransaction, transactionMs } from './recording/transaction.ts';
import { discards, redrives, type DiscardDocument, type RedriveDocument } from './redrive/redrive.model.ts';
import { rebuilds, type RebuildDocument } from './rebuild/rebuild.model.ts';
import { replays, type ReplayDocument } from './replay/replay.model.ts';
import { createBacklog } from './relay/backlog.ts';
import { createOutboxRows } from './relay/outbox-rows.ts';
import { createPublisher } from './relay/publisher.ts';
import { createRelayMetrics } from './relay/relay-metrics.ts';
import { createRelay, type Relay } from './relay/relay.ts';
import { createSlotLeases } from './relay/slot-leases.ts';
import { createReaper } from './retention/reaper.ts';
import { retentionPeriods } from './retention/retention-periods.ts';
import { watchTopicRetention } from './retention/topic-retention.ts';
import { sagaCollections, withSagas } from './saga/run-saga.ts';
import { startBeacon } from './stream/beacon.ts';
import { createCommitStream } from './stream/commit-stream.ts';
import { clusterTimeOf, formatPosition, laterOf } from './stream/position.ts';
import { createSettled } from './stream/settled.ts';
import { timers as timerRows, timerThing, type TimerDocument } from './timers/timer.model.ts';
import { createTimers } from './timers/timers.ts';

const drainMs = 4_000;

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
  const log = createEventLog(db, logClock(client, now));
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
    handlers: declared.map(({ name }) => name),
    sagas: sagaCollections(declared),
    projections: declared.flatMap((each) => (each.kind === 'projection' ? [each.collection] : [])),
    closeLanes: () => handling?.parking.closeEmpty(),
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

  const { transactionMs: mostMs = transactionMs } = options;
  const transaction: Events['transaction'] = async (work, { boundMs = mostMs } = {}) => {
    const own = { client, journal, boundMs: Math.min(boundMs, mostMs) };
    const { result, session } = await runTransaction(own, work);
    for (const row of journal.rowsOf(session)) bell(row);
    return result;
  };

  const collections = (): string[] => [...recorded.keys(), tombstones];

  const kafkaWait = { logger, signal: stopping.signal };
  const ensureTopics = (): Promise<void> => ensureEventTopics({ service, db, kafka, partitions, handlers });

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
    stream.subscribe(
      ({ collection, id, deleted, event }) => {
        if (event === undefined || !own.isNews(event.id)) return;
        const { subject, sequence } = event;
        const row = deleted ? { collection: tombstones, id: `${collection}/${id}` } : { collection, id };
        own.ring({ ...row, sequence }, subject);
      },
      () => own.sweepSoon(),
    );
    await own.start();
    relay = own;
  };

  /** One replica counts for all, the leader of the first slot, so that sums over the replicas are right. */
  const startHealth = (): void => {
    const leads = (): boolean => leases.holds(0);
    const sampler = startFlowSampler({
      ...{ db, collections, leads, logger },
      everyMs: sampleMs,
      sagas: sagaCollections(declared),
    });
    const endGauges = createFlowGauges({
      sample: () => sampler.sample,
      handlers: handlers.map(({ name }) => name),
      slots: () => leases.held.size,
    });
    const topics = topicsOf({ service, handlers });
    const endTopics = watchTopicRetention({ kafka, topics, periods, logger });
    refusedWrites().add(0);
    endHealth = () => {
      endGauges();
      endTopics();
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

  const persons = createPersons(db);
  const unnameErased = createUnnameErased(persons);
  const timerDocuments = collection<TimerDocument>(timerRows, { thing: timerThing });
  const timers = createTimers({
    ...{ service, db, slots: partitions, leases, stream, unnameErased, now, logger, timers: options.timers ?? [] },
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
    const own = {
      service,
      db,
      kafka,
      handlers,
      inbox,
      journal,
      unnameErased,
      orders,
      discarded,
      transaction,
      now,
      logger,
    };
    const { tooOldMs } = periods;
    const { handlerRuns, heldRecords, externalMs, patienceMs, failpoint } = options;
    return createHandling({
      ...own,
      tooOldMs,
      sampleMs,
      replayOrders,
      rebuildOrders,
      logs,
      handlerRuns,
      heldRecords,
      externalMs,
      patienceMs,
      failpoint,
    });
  };
  const handling = handlers.length === 0 ? undefined : handlingOf();

  return {
    db,
    log,
    stream,
    ...createSettled({ client, db, stream }),
    transaction,
    backlog: createBacklog(db, collections),
    position() {
      const position = laterOf(clusterTimeOf(client), stream.position);
      return position === undefined ? undefined : formatPosition(position);
    },
    findEvent: createFindEvent(db, log, collections),
    effectsOf: createEffects(db, inbox, handlers),
    causedBy: createCausedBy({ db, log: log.collection, collections, handlers }),
    timerOf: timers.timerOf,
    schedule: timers.schedule,
    unschedule: timers.unschedule,
    redrives: handling?.redrives,
    persons,
    kafkaUntil: (from) => kafkaUntil(kafka, topic, from),
    redaction: createRedaction({
      ...{ db, collections, log: log.collection, handled: inbox.collection, now },
      timers: createRedactTimers({ collection: timerDocuments, unschedule: timers.unschedule }),
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
      await untilKafka(ensureTopics, kafkaWait);
      await stream.start();
      await untilKafka(startRelay, kafkaWait);
      startHealth();
      timers.start();
      reaper.start();
      if (options.beacon === true) endBeacon = startBeacon(db, () => leases.holds(0));
      await untilKafka(() => publishHandlers(db, kafka, service, handlers, now), kafkaWait);
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
