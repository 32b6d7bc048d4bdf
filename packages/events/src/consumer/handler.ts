import type { Cause, DataOf, EventContract, EventEnvelope, ReadEvent } from '@causeway/contracts';
import type { ClientSession, Document } from 'mongodb';

/** `ordered` (default): a failure stops later events of the same subject. `commutative`: their order does not matter. */
export type HandlerOrder = 'ordered' | 'commutative';

/**
 * Where a handler begins that the service has not had before. `now` (default): where its group stands, as the service's other handlers do;
 * only a group that is new itself begins with what Kafka holds. `beginning`: with the first event in the logs of those whose events it
 * takes, whatever Kafka has forgotten. Once it has begun, this changes nothing.
 */
export type HandlerStart = 'now' | 'beginning';

/** What a handler is given beside the event. */
export interface HandlerContext {
  /** To be handed to every write: the event becomes the cause of what it records. */
  readonly cause: Cause;
}

/** What a transaction handler is given. */
export interface TransactionContext extends HandlerContext {
  /** Every write must use it: the effect, the events that it records and the mark that it is done are one commit. */
  readonly session: ClientSession;
  /** Aborted when the attempt is out of time or the service stops: whatever is still done in the session fails. */
  readonly signal: AbortSignal;
}

/** What an external handler is given. */
export interface ExternalContext extends HandlerContext {
  /** The event's id: the same at each attempt, for the other side to recognise a repetition. */
  readonly idempotencyKey: string;
  /** Aborted when the attempt is out of time or the service stops: soon after, it is no longer waited for. */
  readonly signal: AbortSignal;
}

/** What a projection makes of an event: the fields to set, or that the thing is gone. */
export type Projected =
  { readonly _id: string; readonly set: Document } | { readonly _id: string; readonly deleted: true };

/** What all kinds of handlers have. */
interface Declared {
  /** Unique in the service; it names the handler in effects, metrics and its inbox, so it never changes. */
  readonly name: string;
  readonly on: readonly EventContract[];
  readonly from?: HandlerStart;
  /** Whether it also records outside of its transaction, as an external handler does: then effects look for what they cannot name. */
  readonly writesByItself?: boolean;
}

/** Its effect is in this service's database and happens exactly once. */
export interface TransactionHandler extends Declared {
  readonly kind: 'transaction';
  readonly order: HandlerOrder;
  readonly handle: (event: EventEnvelope, context: TransactionContext) => Promise<void>;
}

/** Keeps a copy of a subject's full state. Safe to run again from the beginning. */
export interface ProjectionHandler extends Declared {
  readonly kind: 'projection';
  readonly order: 'commutative';
  /** The collection that holds the copies. */
  readonly collection: string;
  readonly project: (event: EventEnvelope) => Projected;
}

/** Reaches outside: at least once, with the event's id as idempotency key. */
export interface ExternalHandler extends Declared {
  readonly kind: 'external';
  readonly order: HandlerOrder;
  readonly handle: (event: EventEnvelope, context: ExternalContext) => Promise<void>;
}

/** What a batch handler is given. */
export interface BatchContext {
  /** Every write must use it: the effect, the events that it records and the marks of what is done are one commit. */
  readonly session: ClientSession;
  /** Aborted when the attempt is out of time or the service stops: whatever is still done in the session fails. */
  readonly signal: AbortSignal;
  /** To be handed to every write that is made because of this event: it becomes the cause of what the write records. */
  causeOf(event: EventEnvelope): Cause;
  /** Says that an event of the batch has had its effect. Where it is called for some, the others are brought again one by one. */
  acknowledge(event: EventEnvelope): void;
}

/**
 * What is acknowledged once a handler resolves that has called {@link BatchContext.acknowledge} for nothing: all of the batch, or, where
 * it must acknowledge `each`, nothing. Then an event that comes by itself and is not acknowledged has failed.
 */
export type Acknowledgement = 'all' | 'each';

/** As a transaction handler, for several events at once: their effects are one commit, and each happens exactly once. */
export interface BatchHandler extends Declared {
  readonly kind: 'batch';
  readonly order: HandlerOrder;
  readonly acknowledgement: Acknowledgement;
  readonly maxEvents: number;
  /** How long a batch waits for more events once there is one, in milliseconds. */
  readonly maxWaitMs: number;
  /** Where it is there, what waits in all partitions of the process goes together; a batch begins so long after the one before, in milliseconds. */
  readonly jointEveryMs?: number;
  readonly handle: (events: readonly EventEnvelope[], context: BatchContext) => Promise<void>;
}

/** A handler of events, as a service declares it. */
export type Handler = TransactionHandler | ProjectionHandler | ExternalHandler | BatchHandler;

type EventFor<Contracts extends readonly EventContract[]> = ReadEvent<DataOf<Contracts[number]>>;

interface Declaration<Contracts extends readonly EventContract[]> {
  readonly name: string;
  readonly on: Contracts;
  readonly order?: HandlerOrder;
  readonly from?: HandlerStart;
  readonly writesByItself?: boolean;
}

/** Whoever waits longer for a batch wants a timer, not a batch. */
const maxBatchWaitMs = 10_000;

/** Declares handlers of events, typed by the contracts that they take. */
export const onEvent = {
  /** Its effect is in this service's database and happens exactly once. */
  transaction: <const Contracts extends readonly EventContract[]>(
    declaration: Declaration<Contracts> & {
      readonly handle: (event: EventFor<Contracts>, context: TransactionContext) => Promise<void>;
    },
  ): TransactionHandler => ({ order: 'ordered', ...declaration, kind: 'transaction' }) as unknown as TransactionHandler,

  /**
   * Takes what waits in a partition together, in order. Its effect is in this service's database and happens exactly once. Where it throws,
   * or acknowledges a part only, its events are brought again one by one, as batches of one.
   */
  batch: <const Contracts extends readonly EventContract[]>(
    declaration: Declaration<Contracts> & {
      /** Default `all`. A handler that may have to leave out an event says `each`. */
      readonly acknowledgement?: Acknowledgement;
      /** Default 100. */
      readonly maxEvents?: number;
      /** Default 0: a batch is what waits at that moment. */
      readonly maxWaitMs?: number;
      /**
       * Takes what waits in all partitions of the process together, one batch at a time, and begins the next no sooner than so long after
       * the last, in milliseconds: the first of a quiet time waits for nothing. For handlers whose transactions cost more than their events,
       * or would meet at the same documents. Default: each partition by itself.
       */
      readonly jointEveryMs?: number;
      readonly handle: (events: readonly EventFor<Contracts>[], context: BatchContext) => Promise<void>;
    },
  ): BatchHandler => {
    const { maxEvents = 100, maxWaitMs = 0, jointEveryMs = 0, name } = declaration;
    if (!Number.isInteger(maxEvents) || maxEvents < 1) {
      throw new TypeError(`${name}: maxEvents must be a whole number of at least 1, and is ${maxEvents}`);
    }
    if (!(maxWaitMs >= 0 && maxWaitMs <= maxBatchWaitMs)) {
      throw new TypeError(`${name}: maxWaitMs must be from 0 to ${maxBatchWaitMs}, and is ${maxWaitMs}`);
    }
    if (!(jointEveryMs >= 0 && jointEveryMs <= maxBatchWaitMs)) {
      throw new TypeError(`${name}: jointEveryMs must be from 0 to ${maxBatchWaitMs}, and is ${jointEveryMs}`);
    }
    const whole = { order: 'ordered', acknowledgement: 'all', ...declaration, maxEvents, maxWaitMs, kind: 'batch' };
    return whole as unknown as BatchHandler;
  },

  /** Keeps a copy of a subject's full state, newest revision wins. */
  projection: <const Contracts extends readonly EventContract[]>(
    declaration: Omit<Declaration<Contracts>, 'order'> & {
      readonly collection: string;
      readonly project: (event: EventFor<Contracts>) => Projected;
    },
  ): ProjectionHandler =>
    ({ ...declaration, order: 'commutative', kind: 'projection' }) as unknown as ProjectionHandler,

  /** Reaches outside: at least once, with the event's id as idempotency key. */
  external: <const Contracts extends readonly EventContract[]>(
    declaration: Declaration<Contracts> & {
      readonly handle: (event: EventFor<Contracts>, context: ExternalContext) => Promise<void>;
    },
  ): ExternalHandler => ({ order: 'ordered', ...declaration, kind: 'external' }) as unknown as ExternalHandler,
};
