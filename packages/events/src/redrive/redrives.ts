import { faults, newId, operationsOf, type Cause } from '@causeway/contracts';
import type { ClientSession, Db } from 'mongodb';

import type { Handler } from '../consumer/handler.ts';
import type { HandledRow, Inbox } from '../consumer/inbox.ts';
import { unreadable, type Parking } from '../consumer/parking.ts';
import { DuplicateKey } from '../recording/errors.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { replayFaults } from '../replay/replay.errors.ts';
import { isRemembered, listParked, type ParkedEvent, type ParkedQuestion } from './parked-events.ts';
import { redriveFaults } from './redrive.errors.ts';
import type { DiscardDocument, RedriveDocument, RedriveScope } from './redrive.model.ts';
import { createRedriveTurns } from './redrive-turns.ts';
import { createRedriveWorker } from './redrive-worker.ts';
import type { RedriveProgress, RedriveRunner } from './run-redrive.ts';

/** Events of a redrive in a second, where the request says nothing. */
export const defaultRatePerSecond = 50;

/** Names a parked event. */
export interface ParkedName {
  readonly handler: string;
  readonly eventId: string;
}

/** What an administrator asks for. */
export interface RedriveRequest extends ParkedName {
  readonly scope: RedriveScope;
  readonly ratePerSecond?: number;
}

/** How much a redrive would take. */
export interface RedriveExtent {
  readonly events: number;
  readonly subjects: number;
}

/** A redrive as it is shown. */
export interface Redrive {
  readonly id: string;
  readonly handler: string;
  readonly scope: RedriveScope;
  readonly eventId: string;
  readonly subject: string;
  readonly ratePerSecond: number;
  readonly status: 'running' | 'ended';
  readonly redriven: number;
  readonly failed: number;
  readonly requestedAt: string;
  readonly endedAt?: string;
}

/** What administrators do about parked events. */
export interface Redrives {
  createIndexes(): Promise<void>;
  /** @throws Fault `unknown-handler` where it asks for one that is neither declared nor remembered */
  list(question: ParkedQuestion): Promise<readonly ParkedEvent[]>;
  /** How much a redrive would take. @throws Fault `not-found`, `not-parked`, `unreadable`, `handler-gone` */
  extent(request: RedriveRequest): Promise<RedriveExtent>;
  /**
   * Has parked events handled again, in order, in the background: it goes on whatever becomes of this process.
   *
   * @throws Fault `not-found`, `not-parked`, `unreadable`, `handler-gone`, `redrive-running`
   */
  request(cause: Cause, request: RedriveRequest): Promise<{ readonly redrive: Redrive; readonly eventId: string }>;
  find(id: string): Promise<Redrive | undefined>;
  /**
   * Gives up a parked event, for a reason that is recorded. Later ones of its subject stay parked until they are redriven.
   *
   * @returns the id of the event that says so
   * @throws Fault `not-found`, `not-parked`
   */
  discard(cause: Cause, name: ParkedName, reason: string): Promise<string>;
  /** Takes over what other replicas have left. */
  start(): void;
  stop(): Promise<void>;
}

/** How {@link createRedrives} is wired. */
export interface RedrivesOptions {
  readonly service: string;
  readonly db: Db;
  readonly handlers: readonly Handler[];
  readonly inbox: Inbox;
  readonly parking: Parking;
  readonly orders: RecordedCollection<RedriveDocument>;
  readonly discarded: RecordedCollection<DiscardDocument>;
  readonly run: RedriveRunner;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly now: () => Date;
  readonly logger: RelayLogger;
}

const shown = (document: RedriveDocument, progress?: RedriveProgress): Redrive => {
  const { _id: id, handler, scope, eventId, subject, ratePerSecond, status, createdAt, updatedAt } = document;
  const { redriven, failed } = status === 'running' ? (progress ?? document) : document;
  return {
    ...{ id, handler, scope, eventId, subject, ratePerSecond, status, redriven, failed },
    requestedAt: createdAt.toISOString(),
    ...(status === 'ended' && { endedAt: updatedAt.toISOString() }),
  };
};

/** Makes what administrators do about the parked events of one service. */
export const createRedrives = (options: RedrivesOptions): Redrives => {
  const { service, db, handlers, inbox, parking, orders, discarded, run, transaction, now, logger } = options;
  const contracts = operationsOf(service);
  const turns = createRedriveTurns({ db, handlers, orders: orders.native });
  const worker = createRedriveWorker({ contracts, db, handlers, inbox, orders, run, logger });

  const parkedRow = async ({ handler, eventId }: ParkedName): Promise<HandledRow> => {
    const row = await inbox.collection.findOne({ _id: { handler, event: eventId } });
    if (row === null) throw faults.notFound();
    if (row.status === 'parked') return row;
    // Whoever took it out may have died before it opened the subject.
    if (row.subject !== undefined) await parking.close(handler, row.subject);
    throw redriveFaults.notParked();
  };

  /** What can be handled again. @throws Fault `not-found`, `not-parked`, `unreadable` */
  const redrivableRow = async (name: ParkedName): Promise<HandledRow> => {
    const row = await parkedRow(name);
    if (row.payload === undefined) throw redriveFaults.unreadable();
    return row;
  };

  const handlerOf = (name: string): Handler => {
    const handler = handlers.find((each) => each.name === name);
    if (handler === undefined) throw redriveFaults.handlerGone();
    return handler;
  };

  /** What a redrive of an ordered handler holds is a subject, however little of it is asked for. */
  const targetOf = ({ order }: Handler, { scope, eventId }: RedriveRequest, subject: string): string => {
    if (scope === 'handler') return '*';
    return scope === 'event' && order === 'commutative' ? eventId : subject;
  };

  const record = async (cause: Cause, request: RedriveRequest) => {
    const { scope, eventId, ratePerSecond = defaultRatePerSecond } = request;
    const { subject = '', sequence = '' } = await redrivableRow(request);
    const handler = handlerOf(request.handler);
    const target = targetOf(handler, request, subject);
    const id = newId('rdr');
    const place = { handler: handler.name, scope, eventId, subject };
    const zero = { redriven: 0, failed: 0 };
    const state = { ...place, target, sequence, ratePerSecond, status: 'running' as const, ...zero, cause };
    const event = draft(contracts.redriveRequested, { redriveId: id, ...place });
    return transaction(async (session) => {
      await turns.take(handler, place, session);
      return orders.create(cause, { _id: id, state, event }, { session });
    });
  };

  /** A second time where what was forgotten came again, and was parked again. */
  const recordDiscard = async (
    cause: Cause,
    { handler, eventId, subject, reason }: ParkedName & { readonly subject: string; readonly reason: string },
    session: ClientSession,
  ): Promise<string> => {
    const _id = `${handler}/${eventId}`;
    const decision = {
      state: { handler, eventId, reason },
      event: draft(contracts.eventDiscarded, { handler, eventId, subject, reason }),
    };
    const again = await discarded.update(cause, _id, () => decision, { session });
    return (again?.event ?? (await discarded.create(cause, { _id, ...decision }, { session })).event).id;
  };

  return {
    async createIndexes() {
      await turns.prepare();
      const running = { status: 'running' };
      await orders.native.createIndex(
        { handler: 1, target: 1 },
        { unique: true, partialFilterExpression: running },
        undefined,
      );
    },
    async list(question) {
      const { handler } = question;
      const found = await listParked(inbox, question);
      if (handler === undefined || found.length > 0) return found;
      const isKnown = handler === unreadable || handlers.some(({ name }) => name === handler);
      if (!isKnown && !(await isRemembered(inbox, handler)))
        throw replayFaults.unknownHandler({ detail: `It has ${handlers.map(({ name }) => name).join(', ')}.` });
      return found;
    },
    async extent(request) {
      const { subject = '', sequence = '' } = await redrivableRow(request);
      const { order } = handlerOf(request.handler);
      const own = { status: 'parked' as const, '_id.handler': request.handler };
      const events = {
        handler: own,
        subject: { ...own, subject },
        event:
          order === 'ordered'
            ? { ...own, subject, sequence: { $lte: sequence } }
            : { ...own, '_id.event': request.eventId },
      }[request.scope];
      const [counted] = await inbox.collection
        .aggregate<RedriveExtent>([
          { $match: events },
          { $group: { _id: '$subject', events: { $sum: 1 } } },
          { $group: { _id: null, events: { $sum: '$events' }, subjects: { $sum: 1 } } },
          { $project: { _id: 0 } },
        ])
        .toArray();
      return counted ?? { events: 0, subjects: 0 };
    },
    async request(cause, request) {
      try {
        const { document, event } = await record(cause, request);
        worker.begin(document);
        return { redrive: shown(document), eventId: event.id };
      } catch (error) {
        if (error instanceof DuplicateKey) throw redriveFaults.redriveRunning({ cause: error });
        throw error;
      }
    },
    async find(id) {
      const document = await orders.native.findOne({ _id: id });
      if (document === null) return undefined;
      return shown(document, document.status === 'running' ? await worker.progressOf(id) : undefined);
    },
    async discard(cause, name, reason) {
      const { handler, eventId } = name;
      const { subject = '' } = await parkedRow(name);
      const recorded = await transaction(async (session) => {
        const { matchedCount } = await inbox.collection.updateOne(
          { _id: { handler, event: eventId }, status: 'parked' },
          { $set: { status: 'discarded', at: now(), reason }, $unset: { payload: '', error: '', bytes: '' } },
          { session },
        );
        if (matchedCount === 0) throw redriveFaults.notParked();
        return recordDiscard(cause, { ...name, subject, reason }, session);
      });
      // Nothing else of the subject is parked: it goes on.
      await parking.close(handler, subject);
      return recorded;
    },
    start: () => worker.start(),
    stop: () => worker.stop(),
  };
};
