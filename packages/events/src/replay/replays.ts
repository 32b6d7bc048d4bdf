import { faults, Fault, newId, operationsOf, type Cause } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { CatchUpRows } from '../catch-up/catch-up-rows.ts';
import type { Handler } from '../consumer/handler.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { ProducerLog } from '../log/producer-log.ts';
import { createLeasedWork } from '../operations/leased-work.ts';
import { DuplicateKey } from '../recording/errors.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { RecordedWrite } from '../recording/recorded-writes.ts';
import { draft, stateOf } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { demandLogs } from './demand-logs.ts';
import { replayFaults } from './replay.errors.ts';
import type { ReplayDocument, ReplayPlace, ReplayProgress, ReplayTally } from './replay.model.ts';
import type { ReplayRunner } from './run-replay.ts';

/** Deliveries of a replay in a second, where the request says nothing. */
const defaultRatePerSecond = 50;

/** What an administrator asks for. */
export interface ReplayRequest {
  /** Left out: all of the service that do not reach outside; with `external`, all. */
  readonly handler?: string | undefined;
  /** What was published from then on. */
  readonly since: Date;
  readonly external?: boolean | undefined;
  readonly ratePerSecond?: number | undefined;
}

/** How much a replay would take. */
export interface ReplayExtent {
  readonly handlers: readonly string[];
  /** Events that it would look at. */
  readonly events: number;
}

/** A replay as it is shown. */
export interface Replay extends ReplayExtent, Readonly<ReplayTally> {
  readonly id: string;
  readonly since: string;
  readonly external: boolean;
  readonly ratePerSecond: number;
  readonly status: 'running' | 'ended';
  /** An administrator has had it stopped; it ends at the next event. */
  readonly stopped?: true;
  readonly requestedAt: string;
  readonly endedAt?: string;
}

/** Has handlers of a service go through past events again. */
export interface Replays {
  createIndexes(): Promise<void>;
  /** How much it would be. @throws Fault as {@link Replays.request} does */
  extent(request: ReplayRequest): Promise<ReplayExtent>;
  /**
   * Has handlers go through what was published since a time, up to where their group has got, in the background. What they have done
   * is not done again.
   *
   * @throws Fault `invalid-request`, `unknown-handler`, `reaches-outside`, `replay-running`, `catching-up`, `no-log`; `unavailable` where a log does not answer
   */
  request(cause: Cause, request: ReplayRequest): Promise<{ readonly replay: Replay; readonly eventId: string }>;
  find(id: string): Promise<Replay | undefined>;
  /**
   * Has a replay end at the next event, whichever replica is at work on it. What it has done stays done.
   *
   * @returns undefined where there is no such replay; without `eventId`, it was stopped before
   * @throws Fault `replay-ended`
   */
  requestStop(cause: Cause, id: string): Promise<{ readonly replay: Replay; readonly eventId?: string } | undefined>;
  /** Takes over what other replicas have left. */
  start(): void;
  stop(): Promise<void>;
}

/** How {@link createReplays} is wired. */
export interface ReplaysOptions {
  readonly service: string;
  readonly db: Db;
  readonly kafka: Pick<KafkaPort, 'partitionCount'>;
  readonly handlers: readonly Handler[];
  readonly orders: RecordedCollection<ReplayDocument>;
  readonly logs: (topic: string) => ProducerLog;
  readonly run: ReplayRunner;
  readonly catchUps: Pick<CatchUpRows, 'unfinished'>;
  readonly now: () => Date;
  readonly logger: RelayLogger;
}

const zero: ReplayTally = { seen: 0, done: 0, skipped: 0, tooOld: 0, failed: 0 };

const tallyOf = ({ seen, done, skipped, tooOld, failed }: ReplayTally): ReplayTally => ({
  ...{ seen, done, skipped, tooOld, failed },
});

const eventsOf = (places: readonly ReplayPlace[]): number =>
  places.reduce((sum, { from, to }) => sum + to - from + 1, 0);

const shown = (document: ReplayDocument, progress: ReplayTally = document): Replay => {
  const { _id: id, handlers, since, external, ratePerSecond, places, status, createdAt, updatedAt } = document;
  return {
    ...{ id, handlers, since: since.toISOString(), external, ratePerSecond, status, events: eventsOf(places) },
    ...tallyOf(progress),
    ...(document.stopped === true && { stopped: true as const }),
    requestedAt: createdAt.toISOString(),
    ...(status === 'ended' && { endedAt: updatedAt.toISOString() }),
  };
};

/** Makes the replays of one service. */
export const createReplays = (options: ReplaysOptions): Replays => {
  const { service, db, kafka, handlers, orders, logs, run, catchUps, now, logger } = options;
  const contracts = operationsOf(service);
  const positions = db.collection<{ _id: string; event: string }>('positions');

  const end = async (order: ReplayDocument, progress: ReplayTally): Promise<void> => {
    const cause = { ...order.cause, causationId: order.event };
    const tally = tallyOf(progress);
    await orders.update(cause, order._id, (current) => {
      if (current.status === 'ended') return undefined;
      const event = draft(contracts.replayEnded, { replayId: current._id, handlers: [...current.handlers], ...tally });
      return { state: { ...stateOf(current), ...tally, status: 'ended' }, event };
    });
    logger.info({ replay: order._id, handlers: order.handlers, ...tally }, 'a replay has ended');
  };

  const handlersOf = ({ handlers: names }: Pick<ReplayDocument, 'handlers'>): Handler[] =>
    handlers.filter(({ name }) => names.includes(name));

  const worker = createLeasedWork<ReplayDocument, ReplayProgress>({
    name: 'replay',
    db,
    leases: 'replaying',
    orders,
    zero: { ...zero, place: 0, pos: 0 },
    can: (order) => order.stopped === true || handlersOf(order).length === order.handlers.length,
    work: (order, progress, signal) => run(order, handlersOf(order), progress, signal),
    end,
    logger,
  });

  /** @throws Fault `unknown-handler`, `reaches-outside` */
  const chosen = ({ handler, external = false }: ReplayRequest): Handler[] => {
    const named = handlers.filter(({ name }) => handler === undefined || name === handler);
    const names = handlers.map(({ name }) => name).join(', ');
    if (named.length === 0) throw replayFaults.unknownHandler({ detail: `It has ${names}.` });
    const found = named.filter(({ kind }) => external || kind !== 'external');
    if (found.length === 0) throw replayFaults.reachesOutside();
    return found;
  };

  /** What lies since a time in one slot, up to what the group has committed: what is behind it comes without us. */
  const placeOf = async (topic: string, slot: number, since: Date): Promise<ReplayPlace[]> => {
    const position = await positions.findOne({ _id: `${topic}/${slot}` });
    if (position === null) return [];
    const { from, to } = await logs(topic).extent({ slot, since, upTo: position.event });
    return from > to ? [] : [{ topic, slot, from, to }];
  };

  const placesOf = async (taking: readonly Handler[], since: Date): Promise<ReplayPlace[]> => {
    const found: ReplayPlace[] = [];
    for (const topic of demandLogs(taking, logs)) {
      const slots = Array.from({ length: await kafka.partitionCount(topic) }, (_, slot) => slot);
      found.push(...(await Promise.all(slots.map((slot) => placeOf(topic, slot, since)))).flat());
    }
    return found;
  };

  /** @throws Fault */
  const plan = async (request: ReplayRequest): Promise<Pick<ReplayDocument, 'handlers' | 'places'>> => {
    if (request.since > now()) {
      const message = 'Must not be in the future.';
      throw faults.invalidRequest({ errors: [{ pointer: '/since', code: 'in-future', message }] });
    }
    const taking = chosen(request);
    const [early] = await catchUps.unfinished(taking.map(({ name }) => name));
    if (early !== undefined) throw replayFaults.catchingUp({ detail: `${early} has not caught up yet.` });
    try {
      return { handlers: taking.map(({ name }) => name), places: await placesOf(taking, request.since) };
    } catch (error) {
      throw error instanceof Fault ? error : faults.unavailable({ message: 'a log could not be asked', cause: error });
    }
  };

  const record = async (cause: Cause, request: ReplayRequest): Promise<RecordedWrite<ReplayDocument>> => {
    const { since, external = false, ratePerSecond = defaultRatePerSecond } = request;
    const planned = await plan(request);
    const id = newId('rpl');
    const state = { ...planned, ...zero, since, external, ratePerSecond, status: 'running' as const, cause };
    const told = { replayId: id, handlers: [...planned.handlers], since: since.toISOString(), external };
    return orders.create(cause, { _id: id, state, event: draft(contracts.replayRequested, told) });
  };

  return {
    async createIndexes() {
      // Of an array: no two that run have a handler in common.
      const running = { status: 'running' };
      await orders.native.createIndex({ handlers: 1 }, { unique: true, partialFilterExpression: running }, undefined);
    },
    async extent(request) {
      const { handlers: names, places } = await plan(request);
      return { handlers: names, events: eventsOf(places) };
    },
    async request(cause, request) {
      try {
        const { document, event } = await record(cause, request);
        worker.begin(document);
        return { replay: shown(document), eventId: event.id };
      } catch (error) {
        if (error instanceof DuplicateKey) throw replayFaults.replayRunning({ cause: error });
        throw error;
      }
    },
    async find(id) {
      const document = await orders.native.findOne({ _id: id });
      if (document === null) return undefined;
      return shown(document, document.status === 'running' ? await worker.progressOf(id) : undefined);
    },
    async requestStop(cause, id) {
      const update = await orders.update(cause, id, (current) => {
        if (current.status === 'ended') throw replayFaults.replayEnded();
        if (current.stopped === true) return undefined;
        const event = draft(contracts.replayStopped, { replayId: id, handlers: [...current.handlers] });
        return { state: { ...stateOf(current), stopped: true }, event };
      });
      if (update === undefined) return undefined;
      // Where nobody is at work on it, it ends here.
      worker.begin(update.document);
      const replay = shown(update.document, await worker.progressOf(id));
      return { replay, ...(update.event !== undefined && { eventId: update.event.id }) };
    },
    start: () => worker.start(),
    stop: () => worker.stop(),
  };
};
