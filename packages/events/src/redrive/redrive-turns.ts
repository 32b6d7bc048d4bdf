import type { ClientSession, Collection, Db, Filter } from 'mongodb';

import type { Handler } from '../consumer/handler.ts';
import { redriveFaults } from './redrive.errors.ts';
import type { RedriveDocument } from './redrive.model.ts';

/** The name of the collection whose rows are written by whoever begins a redrive: one for each handler. */
export const redriveTurns = 'redriveturns';

/** Of two transactions that write one of these, MongoDB lets one through, and the other finds what the first has recorded. */
interface TurnRow {
  readonly _id: string;
  readonly taken: number;
}

/** How {@link createRedriveTurns} is wired. */
export interface RedriveTurnsOptions {
  readonly db: Db;
  readonly handlers: readonly Handler[];
  readonly orders: Pick<Collection<RedriveDocument>, 'findOne'>;
}

/** Keeps redrives that have an event in common from running side by side: what reaches outside would be done twice. */
export interface RedriveTurns {
  /** Makes the row of each handler, so that no two transactions have to. */
  prepare(): Promise<void>;
  /**
   * Takes the handler's turn. To be called in the transaction that records the redrive, before anything is read in it.
   *
   * @throws Fault `redrive-running` where one that runs has an event in common with this one
   */
  take(
    handler: Handler,
    wanted: Pick<RedriveDocument, 'scope' | 'subject' | 'eventId'>,
    session: ClientSession,
  ): Promise<void>;
}

/** Which redrives of a handler would take an event that this one takes. */
const overlapping = (
  { order }: Handler,
  { scope, subject, eventId }: Pick<RedriveDocument, 'scope' | 'subject' | 'eventId'>,
): Filter<RedriveDocument> => {
  if (scope === 'handler') return {};
  // One event of an ordered handler takes the earlier ones of its subject along.
  if (scope === 'subject' || order === 'ordered') return { $or: [{ scope: 'handler' }, { subject }] };
  return { $or: [{ scope: 'handler' }, { scope: 'subject', subject }, { eventId }] };
};

/** Makes the turns of one service's handlers. */
export const createRedriveTurns = ({ db, handlers, orders }: RedriveTurnsOptions): RedriveTurns => {
  const turns = db.collection<TurnRow>(redriveTurns);
  return {
    async prepare() {
      for (const { name } of handlers)
        await turns.updateOne({ _id: name }, { $setOnInsert: { taken: 0 } }, { upsert: true });
    },
    async take(handler, wanted, session) {
      await turns.updateOne({ _id: handler.name }, { $inc: { taken: 1 } }, { upsert: true, session });
      const running = { handler: handler.name, status: 'running' as const, ...overlapping(handler, wanted) };
      const found = await orders.findOne(running, { projection: { _id: 1 }, session });
      if (found !== null) throw redriveFaults.redriveRunning();
    },
  };
};
