import type { Cause, EventEnvelope } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { UnnameErased } from '../erasure/unname-erased.ts';
import type { SessionJournal } from '../recording/session-journal.ts';
import { causeOf, checked } from './handled-event.ts';
import type { BatchHandler } from './handler.ts';
import type { Inbox, ParkedClaim } from './inbox.ts';

/** A handler has not acknowledged an event that came by itself. */
export class NotAcknowledged extends Error {
  override readonly name = 'NotAcknowledged';
}

/** What a handler has acknowledged cannot be committed without what it has left out. */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused';
}

/** How {@link createBatchRunner} is wired. */
export interface BatchRunnerOptions {
  readonly inbox: Inbox;
  readonly journal: SessionJournal;
  readonly transaction: <T>(work: (session: ClientSession, signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Tells handlers to give up: the service stops. */
  readonly signal: AbortSignal;
  readonly unnameErased: UnnameErased;
}

/** Runs one attempt of a batch handler. */
export interface BatchRunner {
  /**
   * On events that nobody has settled.
   *
   * @returns what it has not acknowledged, in order: of it nothing has happened
   * @throws AlreadyHandled where one of them was settled meanwhile; {@link BatchRefused}; what the handler throws. Then nothing has happened.
   */
  all(handler: BatchHandler, events: readonly EventEnvelope[]): Promise<readonly EventEnvelope[]>;
  /**
   * On one event that was delivered, or that is parked.
   *
   * @throws {@link NotAcknowledged}
   */
  one(handler: BatchHandler, event: EventEnvelope, attempt: number | ParkedClaim): Promise<void>;
}

/** Makes the runner of a service's batch handlers. */
export const createBatchRunner = (options: BatchRunnerOptions): BatchRunner => {
  const { inbox, journal, transaction, signal, unnameErased } = options;

  type CauseOf = (event: EventEnvelope) => Cause;

  const causesOf = async (events: readonly EventEnvelope[]): Promise<CauseOf> => {
    const unnamed = await Promise.all(events.map((event) => unnameErased(causeOf(event))));
    const causes = new Map(events.map(({ id }, index) => [id, unnamed[index]]));
    return (event) => causes.get(event.id) ?? causeOf(event);
  };

  /** @returns the ids of what is acknowledged */
  const handle = async (
    handler: BatchHandler,
    events: readonly EventEnvelope[],
    causes: CauseOf,
    session: ClientSession,
    late: AbortSignal,
  ): Promise<ReadonlySet<string>> => {
    const given = new Set(events.map(({ id }) => id));
    const acknowledged = new Set<string>();
    await handler.handle(
      events.map((event) => checked(handler, event)),
      {
        session,
        get signal() {
          return AbortSignal.any([late, signal]);
        },
        causeOf: causes,
        acknowledge({ id }) {
          if (!given.has(id)) throw new TypeError(`${handler.name} acknowledges an event that is not in its batch`);
          acknowledged.add(id);
        },
      },
    );
    return acknowledged.size === 0 && handler.acknowledgement === 'all' ? given : acknowledged;
  };

  /** What is left out can be handled later only if nothing of it has happened, and nothing that should have come after it. */
  const checkLeft = (
    handler: BatchHandler,
    events: readonly EventEnvelope[],
    acknowledged: ReadonlySet<string>,
    session: ClientSession,
  ): void => {
    const waiting = new Set<string>();
    for (const { id, subject } of events) {
      if (!acknowledged.has(id)) {
        if (journal.eventsCausedBy(session, id).length > 0)
          throw new BatchRefused(`${handler.name} has recorded what an event caused that it did not acknowledge`);
        waiting.add(subject);
      } else if (handler.order === 'ordered' && waiting.has(subject))
        throw new BatchRefused(`${handler.name} has acknowledged an event, but not an earlier one of its subject`);
    }
  };

  return {
    async all(handler, events) {
      const causes = await causesOf(events);
      return transaction(async (session, late) => {
        await inbox.claimAll(handler.name, events, session);
        const acknowledged = await handle(handler, events, causes, session, late);
        checkLeft(handler, events, acknowledged, session);
        const left = events.filter(({ id }) => !acknowledged.has(id));
        if (left.length > 0) await inbox.unclaim(handler.name, left, session);
        const caused = [...acknowledged].map((id) => [id, journal.eventsCausedBy(session, id)] as const);
        await inbox.noteAllCaused(handler.name, new Map(caused), session);
        return left;
      });
    },
    async one(handler, event, attempt) {
      const causes = await causesOf([event]);
      await transaction(async (session, late) => {
        if (typeof attempt === 'number') await inbox.claim(handler.name, event, attempt, session);
        else await inbox.claimParked(handler.name, event, attempt, session);
        const acknowledged = await handle(handler, [event], causes, session, late);
        if (!acknowledged.has(event.id)) throw new NotAcknowledged(`${handler.name} did not acknowledge the event`);
        await inbox.noteCaused(handler.name, event.id, journal.eventsCausedBy(session, event.id), session);
      });
    },
  };
};
