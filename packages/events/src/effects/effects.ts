import { isRedacted, type EventEnvelope } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { Handler, ProjectionHandler } from '../consumer/handler.ts';
import type { HandledStatus, HandlingError, Inbox } from '../consumer/inbox.ts';
import { isProjected } from './is-projected.ts';

/** What a handler of this service has done with an event. */
export interface Effect {
  readonly handler: string;
  readonly status: HandledStatus | 'pending';
  readonly attempts: number;
  /** ISO 8601; absent while nothing has been tried. */
  readonly at?: string;
  readonly error?: HandlingError;
  /** Events that the handler has recorded in its transaction; `caused-by.ts` finds those that it has recorded outside of it. */
  readonly caused: readonly string[];
}

/** What the handlers of one service have done with an event. */
export type EffectsOf = (event: EventEnvelope) => Promise<readonly Effect[]>;

/** Makes the reader of a service's effects. */
export const createEffects = (db: Db, inbox: Inbox, handlers: readonly Handler[]): EffectsOf => {
  /** A projection leaves no row: it has handled the event once its copy is as new. */
  const projected = async (handler: ProjectionHandler, event: EventEnvelope): Promise<Effect> => {
    // Which copy it was about is not known any more, and none is made of it.
    if (isRedacted(event)) return { handler: handler.name, status: 'discarded', attempts: 0, caused: [] };
    const isDone = await isProjected(db, handler, event);
    return { handler: handler.name, status: isDone ? 'done' : 'pending', attempts: 0, caused: [] };
  };

  return async (event) => {
    const projections = new Set(handlers.filter(({ kind }) => kind === 'projection').map(({ name }) => name));
    // A projection that failed once and then worked leaves its first row: the copy itself tells.
    const rows = (await inbox.rowsOf(event.id)).filter(
      ({ _id, status }) => status !== 'retrying' || !projections.has(_id.handler),
    );
    const effects = rows.map(({ _id, status, attempts, at, error, caused }): Effect => {
      const tried = { attempts: attempts ?? 0, at: at.toISOString(), caused: caused ?? [] };
      return { handler: _id.handler, status, ...tried, ...(error === undefined ? {} : { error }) };
    });
    const seen = new Set(effects.map(({ handler }) => handler));
    for (const handler of handlers) {
      if (seen.has(handler.name) || !handler.on.some(({ type }) => type === event.type)) continue;
      if (handler.kind === 'projection') effects.push(await projected(handler, event));
      else effects.push({ handler: handler.name, status: 'pending', attempts: 0, caused: [] });
    }
    return effects;
  };
};
