import type { Cause, ReadEvent } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { Handler, TransactionHandler } from '../consumer/handler.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { RecordedDocument } from '../recording/recorded-document.ts';
import type { TimerSchedule } from '../timers/schedule-timers.ts';
import type { TimerDocument } from '../timers/timer.model.ts';
import { sagaRun, type Saga, type SagaContext, type SagaDecision, type SagaDocument, type SagaStep } from './saga.ts';

/** What sagas run on. */
export interface SagaTools {
  /** Makes the collection of that name; called at once, so that its outboxes are known from the start. */
  readonly collection: <Doc extends RecordedDocument>(
    name: string,
    options: { readonly thing: string },
  ) => RecordedCollection<Doc>;
  readonly timers: TimerSchedule;
  readonly timerDocuments: Pick<RecordedCollection<TimerDocument>, 'native'>;
  readonly now: () => Date;
}

const isSaga = (handler: Handler): handler is Saga => 'saga' in handler;

const idOf = (subject: string): string => subject.slice(subject.indexOf('/') + 1);

/** Makes what a saga does with an event: load, decide, write, all in the transaction that claims the event. */
const createSagaRun = (saga: Saga, tools: SagaTools): TransactionHandler['handle'] => {
  const { name } = saga;
  const { timers: schedules, timerDocuments, now } = tools;
  const { thing, steps } = saga.saga;
  const documents = tools.collection<SagaDocument>(saga.saga.collection, { thing });
  const contracts = new Map([...steps.values()].flatMap((step) => (step.name ? [[step.name, step.contract]] : [])));

  /** A timeout was scheduled about its saga; it need not say so itself. */
  const sagaOfTimer = async (timerId: string, session: ClientSession): Promise<string | undefined> => {
    const options = { session, projection: { about: 1 } };
    const timer = await timerDocuments.native.findOne({ _id: timerId }, options);
    return timer?.about?.startsWith(`${thing}/`) === true ? idOf(timer.about) : undefined;
  };

  const find = async (step: SagaStep, event: ReadEvent, session: ClientSession) => {
    const id = step.kind === 'timeout' ? await sagaOfTimer(idOf(event.subject), session) : step.id?.(event);
    if (id === undefined) return undefined;
    return { id, document: (await documents.native.findOne({ _id: id }, { session })) ?? undefined };
  };

  const unschedule = async (cause: Cause, timerIds: readonly (string | undefined)[], session: ClientSession) => {
    for (const timerId of timerIds) {
      if (timerId !== undefined) await schedules.unschedule(cause, timerId, { session });
    }
  };

  /** Timers come and go with the transition; gives those that wait after it. */
  const moveTimers = async (
    cause: Cause,
    id: string,
    waiting: Map<string, string>,
    { schedule = [], unschedule: names = [], ends = false }: SagaDecision,
    session: ClientSession,
  ): Promise<Record<string, string>> => {
    const leaving = ends ? [...waiting.keys()] : [...names, ...schedule.map((each) => each.name)];
    for (const each of new Set(leaving)) {
      await unschedule(cause, [waiting.get(each)], session);
      waiting.delete(each);
    }
    for (const { name: timer, ...rest } of schedule) {
      const contract = contracts.get(timer);
      if (contract === undefined) throw new TypeError(`saga ${name} has no timeout of the name ${timer}`);
      if (ends) throw new TypeError(`saga ${name} ends, and schedules ${timer}`);
      const request = { contract, about: `${thing}/${id}`, ...rest };
      waiting.set(timer, (await schedules.schedule(cause, request, { session })).timerId);
    }
    return Object.fromEntries(waiting);
  };

  return async (event, { cause, session }) => {
    const step = steps.get(event.type);
    const found = step === undefined ? undefined : await find(step, event, session);
    if (step === undefined || found === undefined || found.document?.endedAt !== undefined) return;
    const { id, document } = found;
    // Unscheduled or moved, it had been on its way by then.
    if (step.kind === 'timeout' && document?.timers[step.name ?? ''] !== idOf(event.subject)) return;
    const waiting = new Map(Object.entries(document?.timers ?? {}));
    if (step.name !== undefined) waiting.delete(step.name);
    const decision = saga.decide(document?.state, event);
    if (decision === undefined) return;
    const timers = await moveTimers(cause, id, waiting, decision, session);
    const ended = decision.ends === true ? { endedAt: now() } : {};
    const write = { state: { state: decision.state, timers, ...ended }, event: decision.event };
    if (document === undefined) await documents.create(cause, { _id: id, ...write }, { session });
    else await documents.update(cause, id, () => write, { session });
  };
};

/** Where the sagas among handlers have their documents. */
export const sagaCollections = (handlers: readonly Handler[]): readonly string[] =>
  handlers.filter(isSaga).map(({ saga }) => saga.collection);

/** Gives sagas among handlers what they run on. */
export const withSagas = (handlers: readonly Handler[], tools: SagaTools): readonly Handler[] =>
  handlers.map((handler) => {
    if (!isSaga(handler)) return handler;
    const run = createSagaRun(handler, tools);
    const handle: TransactionHandler['handle'] = (event, context) => {
      const running: SagaContext = { ...context, [sagaRun]: run };
      return handler.handle(event, running);
    };
    return { ...handler, handle };
  });
