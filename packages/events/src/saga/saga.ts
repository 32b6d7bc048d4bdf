import type { EventContract, EventData, ReadEvent } from '@causeway/contracts';

import type { TransactionContext, TransactionHandler } from '../consumer/handler.ts';
import type { EventDraft, RecordedDocument } from '../recording/recorded-document.ts';
import { timerThing } from '../timers/timer.model.ts';

/** What a saga keeps in mind. */
export interface SagaState {
  /** Where it stands, in a word. */
  readonly status: string;
}

/** A saga as it is stored: one document, and every transition an event of it. */
export interface SagaDocument<State extends SagaState = SagaState> extends RecordedDocument {
  readonly state: State;
  /** The ids of the timers that it waits for, by name. */
  readonly timers: Readonly<Record<string, string>>;
  /** From then on it takes no more events; it stays as long as a tombstone would, so that a late one finds that it is over. */
  readonly endedAt?: Date;
}

/** A timeout that a saga asks for; a name that waits already is moved. */
export interface SagaTimeout {
  /** As declared by `timeout`. */
  readonly name: string;
  readonly data: EventData;
  /** From now on, by MongoDB's clock. */
  readonly afterMs?: number;
  readonly deliverAt?: Date;
}

/** What a saga makes of an event: one write. */
export interface SagaDecision<State extends SagaState = SagaState> {
  /** The whole new state. */
  readonly state: State;
  /** What the transition records, about the saga: others act on it. */
  readonly event: EventDraft;
  readonly schedule?: readonly SagaTimeout[];
  /** Names of timeouts that are no longer waited for; one that does not wait is passed over. */
  readonly unschedule?: readonly string[];
  /** It is over: what still waits is unscheduled, and later events are ignored. */
  readonly ends?: boolean;
}

/** What a saga does about one kind of event. */
export interface SagaStep<State extends SagaState = SagaState> {
  readonly kind: 'starts' | 'when' | 'timeout';
  readonly contract: EventContract;
  /** Of a timeout. */
  readonly name?: string;
  /** Which saga an event is for; undefined where for none. A timeout finds its own. */
  readonly id?: (event: ReadEvent) => string | undefined;
  readonly decide: (state: State | undefined, event: ReadEvent) => SagaDecision<State> | undefined;
}

/** Declares the steps of a saga, typed by the contracts that they take. */
export interface SagaSteps<State extends SagaState> {
  /** Begins a saga, or goes on with the one that is there: for every event that may be the first. */
  starts<Data extends EventData>(
    contract: EventContract<Data>,
    step: {
      readonly id: (event: ReadEvent<Data>) => string | undefined;
      readonly decide: (state: State | undefined, event: ReadEvent<Data>) => SagaDecision<State> | undefined;
    },
  ): SagaStep<State>;
  /** Goes on with a saga. Where there is none the event is ignored: an answer to what a saga has recorded cannot come before it. */
  when<Data extends EventData>(
    contract: EventContract<Data>,
    step: {
      readonly id: (event: ReadEvent<Data>) => string | undefined;
      readonly decide: (state: State, event: ReadEvent<Data>) => SagaDecision<State> | undefined;
    },
  ): SagaStep<State>;
  /** A time is up. One that was unscheduled or moved meanwhile is never decided upon, even if it had been on its way. */
  timeout<Data extends EventData>(
    name: string,
    contract: EventContract<Data>,
    decide: (state: State, event: ReadEvent<Data>) => SagaDecision<State> | undefined,
  ): SagaStep<State>;
}

/** How a saga is declared. */
export interface SagaDeclaration<State extends SagaState> {
  /** Unique among the handlers of the service, and never changed: see `onEvent`. */
  readonly name: string;
  /** Where its documents are. */
  readonly collection: string;
  /** The kind of thing that its events are about: `fulfilment` in `fulfilment/ord_…`. */
  readonly thing: string;
  readonly steps: (steps: SagaSteps<State>) => readonly SagaStep<State>[];
}

/** A process manager: a handler whose effect is a transition of one document. */
export interface Saga<State extends SagaState = SagaState> extends TransactionHandler {
  readonly saga: {
    readonly collection: string;
    readonly thing: string;
    /** By the type of the event. */
    readonly steps: ReadonlyMap<string, SagaStep<State>>;
  };
  /** What it makes of an event: pure, for tests of its decisions. */
  readonly decide: (state: State | undefined, event: ReadEvent) => SagaDecision<State> | undefined;
}

/** Where `createEvents` puts what a saga runs on. In the context, so that a handler may be wrapped like any other. */
export const sagaRun: unique symbol = Symbol('saga');

/** The context of a saga that runs. */
export interface SagaContext extends TransactionContext {
  readonly [sagaRun]?: TransactionHandler['handle'];
}

const stepsOf = <State extends SagaState>({
  name,
  steps,
}: SagaDeclaration<State>): ReadonlyMap<string, SagaStep<State>> => {
  const builders: SagaSteps<State> = {
    starts: (contract, step) => ({ kind: 'starts', contract, ...step }) as SagaStep<State>,
    when: (contract, step) => ({ kind: 'when', contract, ...step }) as SagaStep<State>,
    timeout: (timer, contract, decide) => ({ kind: 'timeout', name: timer, contract, decide }) as SagaStep<State>,
  };
  const byType = new Map<string, SagaStep<State>>();
  const timers = new Set<string>();
  for (const step of steps(builders)) {
    const { type, thing } = step.contract;
    if (byType.has(type)) throw new TypeError(`saga ${name} has two steps for ${type}`);
    byType.set(type, step);
    if (step.name === undefined) continue;
    if (thing !== timerThing) throw new TypeError(`saga ${name}: ${type} is no timeout: its thing has to be 'timer'`);
    if (timers.has(step.name)) throw new TypeError(`saga ${name} has two timeouts of the name ${step.name}`);
    timers.add(step.name);
  }
  if (![...byType.values()].some(({ kind }) => kind === 'starts')) throw new TypeError(`saga ${name} never starts`);
  return byType;
};

/**
 * Declares a process manager. It goes among the `handlers` of `createEvents`, and is one: exactly once, in order, parked and redriven
 * like any other.
 *
 * @throws TypeError where its steps do not go together
 */
export const defineSaga = <State extends SagaState>(declaration: SagaDeclaration<State>): Saga<State> => {
  const { name, collection, thing } = declaration;
  const steps = stepsOf(declaration);
  return {
    ...{ kind: 'transaction', order: 'ordered', name },
    on: [...steps.values()].map(({ contract }) => contract),
    saga: { collection, thing, steps },
    decide: (state, event) => {
      const step = steps.get(event.type);
      return step === undefined || (state === undefined && step.kind !== 'starts')
        ? undefined
        : step.decide(state, event);
    },
    handle: (event, context: SagaContext) => {
      const run = context[sagaRun];
      if (run === undefined) throw new TypeError(`saga ${name} runs among the handlers of createEvents alone`);
      return run(event, context);
    },
  };
};
