import { isRedacted, type EventEnvelope } from '@causeway/contracts';
import type { ClientSession, Db } from 'mongodb';

import type { UnnameErased } from '../erasure/unname-erased.ts';
import { OutOfTime, unlessAborted } from '../recording/out-of-time.ts';
import type { SessionJournal } from '../recording/session-journal.ts';
import { discardRedacted } from './discard-redacted.ts';
import { causeOf, checked } from './handled-event.ts';
import type { ExternalHandler, Handler, TransactionHandler } from './handler.ts';
import { AlreadyHandled, type Inbox, type ParkedClaim } from './inbox.ts';
import type { BatchRunner } from './run-batch.ts';
import { runProjection } from './run-projection.ts';

/** An external handler's attempt takes no longer. */
const defaultExternalMs = 30_000;

/** One that is told to give up has so long to say what has come of it. */
const graceMs = 500;

const tooSlow = (boundMs: number): OutOfTime =>
  new OutOfTime(
    `the handler was not over after ${boundMs} ms, and is no longer waited for. Bound what it waits for, by its signal: what it does later ` +
      'still has its effect, beside the next attempt',
  );

/** How {@link createHandlerRunner} is wired. */
export interface HandlerRunnerOptions {
  readonly db: Db;
  readonly inbox: Inbox;
  readonly journal: SessionJournal;
  readonly transaction: <T>(work: (session: ClientSession, signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Tells handlers to give up: the service stops. */
  readonly signal: AbortSignal;
  /** Default 30,000. */
  readonly externalMs?: number | undefined;
  readonly runBatch: BatchRunner;
  readonly unnameErased: UnnameErased;
}

/**
 * Runs one attempt of a handler on an event that was delivered, or on one that is parked. It ends within its bound, whatever the handler
 * does: then it has failed with `OutOfTime`. What a handler still does in its transaction fails; what it still does outside has its effect.
 */
export type HandlerRunner = (handler: Handler, event: EventEnvelope, attempt: number | ParkedClaim) => Promise<void>;

/** Makes the runner of a service's handlers. */
export const createHandlerRunner = (options: HandlerRunnerOptions): HandlerRunner => {
  const { db, inbox, journal, transaction, signal, externalMs = defaultExternalMs, runBatch, unnameErased } = options;

  type Attempt = Parameters<HandlerRunner>[2];

  const runTransaction = async (handler: TransactionHandler, event: EventEnvelope, attempt: Attempt): Promise<void> => {
    const cause = await unnameErased(causeOf(event));
    await transaction(async (session, late) => {
      if (typeof attempt === 'number') await inbox.claim(handler.name, event, attempt, session);
      else await inbox.claimParked(handler.name, event, attempt, session);
      const context = {
        session,
        cause,
        // Made for whoever asks: most handlers do not.
        get signal() {
          return AbortSignal.any([late, signal]);
        },
      };
      await handler.handle(checked(handler, event), context);
      await inbox.noteCaused(handler.name, event.id, journal.eventsOf(session), session);
    });
  };

  /** Of handlers whose effect is not in a transaction: the mark comes after it. */
  const endParked = async (handler: Handler, event: EventEnvelope, claim: ParkedClaim): Promise<void> => {
    await transaction((session) => inbox.claimParked(handler.name, event, claim, session));
  };

  const runExternal = async (handler: ExternalHandler, event: EventEnvelope, attempt: Attempt): Promise<void> => {
    const before = await inbox.statusOf(handler.name, event.id);
    const open = typeof attempt === 'number' ? [undefined, 'retrying'] : ['parked'];
    if (!open.includes(before)) throw new AlreadyHandled(event.id);
    const cause = await unnameErased(causeOf(event));
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooSlow(externalMs)), externalMs);
    const bounded = AbortSignal.any([signal, late.signal]);
    const context = { cause, idempotencyKey: event.id, signal: bounded };
    try {
      await unlessAborted(handler.handle(checked(handler, event), context), bounded, graceMs);
    } finally {
      clearTimeout(timer);
    }
    if (typeof attempt === 'number') await inbox.markDone(handler.name, event, attempt);
    else await endParked(handler, event, attempt);
  };

  return async (handler, event, attempt) => {
    if (isRedacted(event)) return discardRedacted({ inbox, transaction }, handler.name, event, attempt);
    if (handler.kind === 'transaction') return runTransaction(handler, event, attempt);
    if (handler.kind === 'batch') return runBatch.one(handler, event, attempt);
    if (handler.kind === 'external') return runExternal(handler, event, attempt);
    await runProjection(db, handler, checked(handler, event));
    if (typeof attempt !== 'number') await endParked(handler, event, attempt);
  };
};
