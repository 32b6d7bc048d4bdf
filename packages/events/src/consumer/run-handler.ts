import { isRedacted, type EventEnvelope } from '@causeway/contracts';
import type { ClientSession, Db } from 'mongodb';

import type { SessionJournal } from '../recording/session-journal.ts';
import { discardRedacted } from './discard-redacted.ts';
import { causeOf, checked } from './handled-event.ts';
import type { ExternalHandler, Handler, TransactionHandler } from './handler.ts';
import { AlreadyHandled, type Inbox, type ParkedClaim } from './inbox.ts';
import type { BatchRunner } from './run-batch.ts';
import { runProjection } from './run-projection.ts';

/** An external handler's attempt takes no longer. */
const externalMs = 30_000;

/** How {@link createHandlerRunner} is wired. */
export interface HandlerRunnerOptions {
  readonly db: Db;
  readonly inbox: Inbox;
  readonly journal: SessionJournal;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
  readonly runBatch: BatchRunner;
}

/** Runs one attempt of a handler on an event that was delivered, or on one that is parked. */
export type HandlerRunner = (handler: Handler, event: EventEnvelope, attempt: number | ParkedClaim) => Promise<void>;

/** Makes the runner of a service's handlers. */
export const createHandlerRunner = (options: HandlerRunnerOptions): HandlerRunner => {
  const { db, inbox, journal, transaction, signal, runBatch } = options;

  type Attempt = Parameters<HandlerRunner>[2];

  const runTransaction = async (handler: TransactionHandler, event: EventEnvelope, attempt: Attempt): Promise<void> => {
    await transaction(async (session) => {
      if (typeof attempt === 'number') await inbox.claim(handler.name, event, attempt, session);
      else await inbox.claimParked(handler.name, event, attempt, session);
      await handler.handle(checked(handler, event), { session, cause: causeOf(event) });
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
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(externalMs)]);
    const context = { cause: causeOf(event), idempotencyKey: event.id, signal: bounded };
    await handler.handle(checked(handler, event), context);
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
