import type { EventEnvelope } from '@causeway/contracts';
import type { ClientSession, Collection, Db } from 'mongodb';

import type { BatchHandler, ExternalHandler, Handler, TransactionHandler } from '../../consumer/handler.ts';
import type { Poison } from './protocol.ts';

/** The collection in which observed handlers write down what they have done, in the order in which it was committed. */
export const journalCollection = 'faultJournal';

/** One handler's effects on one subject; of a commutative handler those of one event, since others of the subject come beside it. */
export interface JournalRow {
  readonly _id: {
    readonly handler: string;
    readonly source: string;
    readonly subject: string;
    readonly event?: string;
  };
  readonly applied: readonly { readonly event: string; readonly sequence: string }[];
}

/** How handlers are observed. */
export interface ObserverOptions {
  readonly db: Db;
  readonly poison: () => Poison | undefined;
}

const isPoisoned = (poison: Poison | undefined, handler: string, { subject, sequence }: EventEnvelope): boolean => {
  if (poison?.handler !== handler || poison.subject !== subject) return false;
  return poison.from <= sequence && sequence <= poison.to;
};

/**
 * Makes handlers write down each effect: a transaction handler in its own transaction, so that the journal has an effect
 * exactly as often as it happened; an external one after its call.
 */
export const observer = ({ db, poison }: ObserverOptions): ((handlers: readonly Handler[]) => Handler[]) => {
  const journal: Collection<JournalRow> = db.collection<JournalRow>(journalCollection);

  const note = async (
    { name: handler, order }: Handler,
    event: EventEnvelope,
    session?: ClientSession,
  ): Promise<void> => {
    const { id, source, subject, sequence } = event;
    const place = { handler, source, subject };
    await journal.updateOne(
      { _id: order === 'ordered' ? place : { ...place, event: id } },
      { $push: { applied: { event: id, sequence } } },
      { upsert: true, ...(session === undefined ? { writeConcern: { w: 'majority' } } : { session }) },
    );
  };

  const observed = (handler: Handler): Handler => {
    const { name } = handler;
    const refuse = (event: EventEnvelope): void => {
      if (isPoisoned(poison(), name, event)) throw new Error('the fault suite makes this handler fail');
    };
    if (handler.kind === 'projection') return handler;
    if (handler.kind === 'transaction') {
      const handle: TransactionHandler['handle'] = async (event, context) => {
        refuse(event);
        await handler.handle(event, context);
        await note(handler, event, context.session);
      };
      return { ...handler, handle };
    }
    if (handler.kind === 'batch') {
      const handle: BatchHandler['handle'] = async (events, context) => {
        const acknowledged = new Set<EventEnvelope>();
        for (const event of events) refuse(event);
        await handler.handle(events, {
          ...context,
          acknowledge(event) {
            context.acknowledge(event);
            acknowledged.add(event);
          },
        });
        const all = acknowledged.size === 0 && handler.acknowledgement === 'all';
        for (const event of all ? events : acknowledged) await note(handler, event, context.session);
      };
      return { ...handler, handle };
    }
    const handle: ExternalHandler['handle'] = async (event, context) => {
      refuse(event);
      await handler.handle(event, context);
      await note(handler, event);
    };
    return { ...handler, handle };
  };
  return (handlers) => handlers.map(observed);
};
