import { serviceOf, topicOf } from '@causeway/contracts';
import type { ClientSession, Db } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import { createCatchUpRows } from '../catch-up/catch-up-rows.ts';
import { createCatchUps } from '../catch-up/catch-ups.ts';
import type { UnnameErased } from '../erasure/unname-erased.ts';
import { thenFailpoint, type Failpoint } from '../failpoint.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { ProducerLog } from '../log/producer-log.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { SessionJournal } from '../recording/session-journal.ts';
import type { DiscardDocument, RedriveDocument } from '../redrive/redrive.model.ts';
import { createRedrives, type Redrives } from '../redrive/redrives.ts';
import { createRedriveRunner } from '../redrive/run-redrive.ts';
import type { RebuildDocument } from '../rebuild/rebuild.model.ts';
import { createRebuilds, type Rebuilds } from '../rebuild/rebuilds.ts';
import type { ReplayDocument } from '../replay/replay.model.ts';
import { createReplays, type Replays } from '../replay/replays.ts';
import { createReplayRunner } from '../replay/run-replay.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';
import { createConsumer } from './consumer.ts';
import { createBatchDelivery } from './deliver-batch.ts';
import { createDelivery } from './deliver.ts';
import { followLanes } from './follow-lanes.ts';
import { createFirstDeliveries } from './first-deliveries.ts';
import { createForgotten, parkForgotten } from './forgotten.ts';
import { createHandlerLag } from './handler-lag.ts';
import type { Handler } from './handler.ts';
import type { Inbox } from './inbox.ts';
import { createParkOutOfSequence } from './out-of-sequence.ts';
import { findLostHistory } from './lost-history.ts';
import { createParkLost } from './park-lost.ts';
import { createPassedOver } from './passed-over.ts';
import { createParking, type Parking } from './parking.ts';
import { createBatchRunner } from './run-batch.ts';
import { createHandlerRunner } from './run-handler.ts';
import { createRunPlaces } from './run-places.ts';

/** How {@link createHandling} is wired. */
export interface HandlingOptions {
  readonly service: string;
  readonly db: Db;
  readonly kafka: KafkaPort;
  readonly handlers: readonly Handler[];
  readonly inbox: Inbox;
  readonly journal: SessionJournal;
  readonly unnameErased: UnnameErased;
  readonly orders: RecordedCollection<RedriveDocument>;
  readonly discarded: RecordedCollection<DiscardDocument>;
  readonly replayOrders: RecordedCollection<ReplayDocument>;
  readonly rebuildOrders: RecordedCollection<RebuildDocument>;
  readonly transaction: <T>(work: (session: ClientSession, signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** @throws where there is no way to the log behind a topic */
  readonly logs: (topic: string) => ProducerLog;
  /** The inbox is sure to know of whatever is younger. */
  readonly tooOldMs: number;
  /** Default 16. */
  readonly handlerRuns?: number | undefined;
  /** Default 30,000. */
  readonly externalMs?: number | undefined;
  readonly patienceMs?: number | undefined;
  /** Default 1,000. */
  readonly heldRecords?: number | undefined;
  /** How often Kafka is asked how far its partitions reach. */
  readonly sampleMs: number;
  readonly now: () => Date;
  readonly logger: RelayLogger;
  readonly failpoint?: Failpoint | undefined;
}

/** What a service does with the events that it is given. */
export interface Handling {
  readonly redrives: Redrives;
  readonly parking: Parking;
  readonly replays: Replays;
  readonly rebuilds: Rebuilds;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Handlers that take longer at the end are told to give up; their events are delivered again. */
const handlersMs = 3_000;

/** Wires a service's handlers: delivered events, the parking lot, and the way back out of it. */
export const createHandling = (options: HandlingOptions): Handling => {
  const { service, db, kafka, handlers, inbox, journal, unnameErased, transaction, logs, now, logger, failpoint } =
    options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const parking = createParking({ db, inbox, now, transaction });
  const runBatch = createBatchRunner({ inbox, journal, transaction, signal, unnameErased });
  const { externalMs, patienceMs } = options;
  const run = createHandlerRunner({ db, inbox, journal, transaction, signal, externalMs, runBatch, unnameErased });
  const topics = [...new Set(handlers.flatMap(({ on }) => on.map(({ type }) => topicOf(serviceOf(type)))))];
  const metrics = createConsumerMetrics(
    handlers.map(({ name }) => name),
    topics,
  );
  const firsts = createFirstDeliveries();
  const delivery = createDelivery({ run, inbox, parking, firsts, logger, metrics, patienceMs, signal });
  const deliver = thenFailpoint('consumer.handled', failpoint, delivery);
  const forgotten = createForgotten({ db, inbox, tooOldMs: options.tooOldMs, now });
  const batches = createBatchDelivery({ runBatch, inbox, parking, forgotten, firsts, logger, metrics, signal });
  const places = createRunPlaces(options.handlerRuns ?? 16);
  const catchUpRows = createCatchUpRows(db, now);
  const parkLost = createParkLost({ parking, metrics, logger });
  const catchUps = createCatchUps({ db, handlers, rows: catchUpRows, logs, places, deliver, parkLost, logger });
  const consumer = createConsumer({
    db,
    kafka,
    groupId: `causeway-${service}`,
    topics,
    passedOver: createPassedOver({ service, metrics, logger }),
    handlers,
    deliver: parkForgotten(deliver, { forgotten, parking, metrics, logger }),
    deliverBatch: thenFailpoint('consumer.handled', failpoint, batches),
    firsts,
    parkOutOfSequence: createParkOutOfSequence({ deliver, firsts, inbox, parking, metrics, logger }),
    catchUps,
    parking,
    readProducerLog: async (topic, from) => logs(topic).after(from),
    lostHistory: async (topic, slot, afterEvent) => findLostHistory(logs(topic), slot, afterEvent),
    parkLost,
    places,
    heldRecords: options.heldRecords ?? 1_000,
    lag: createHandlerLag({ kafka, handlers, everyMs: options.sampleMs }),
    metrics,
    logger,
  });
  const { orders, discarded } = options;
  const redriving = createRedriveRunner({ inbox, parking, run, logger });
  const redrives = createRedrives({
    ...{ service, db, handlers, inbox, parking, orders, discarded, transaction, now, logger },
    run: redriving,
  });
  const { replayOrders, rebuildOrders } = options;
  const rebuilds = createRebuilds({ service, db, kafka, handlers, logs, logger, orders: rebuildOrders });
  const replaying = createReplayRunner({
    ...{ db, inbox, parking, forgotten, logs, logger },
    isStopped: async (_id) => (await replayOrders.native.findOne({ _id, stopped: true })) !== null,
    deliver: (handler, event, wanted) => places.run(wanted, (turn) => deliver(handler, event, turn)),
  });
  const replays = createReplays({
    ...{ service, db, kafka, handlers, logs, now, logger },
    orders: replayOrders,
    catchUps: catchUpRows,
    run: replaying,
  });
  let endFollowing: (() => void) | undefined;
  return {
    redrives,
    parking,
    replays,
    rebuilds,
    async start() {
      catchUps.check();
      await Promise.all([
        parking.createIndexes(),
        redrives.createIndexes(),
        replays.createIndexes(),
        rebuilds.createIndexes(),
      ]);
      await consumer.start();
      endFollowing = followLanes(parking, logger);
      redrives.start();
      replays.start();
      rebuilds.start();
    },
    async stop() {
      // Handlers in hand may finish first; only then are they told to give up.
      const left = Promise.all([consumer.stop(), redrives.stop(), replays.stop(), rebuilds.stop()]);
      await Promise.race([left, delay(handlersMs, undefined, { ref: false })]);
      stopping.abort();
      endFollowing?.();
      await left;
    },
  };
};
