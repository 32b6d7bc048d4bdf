import type { EventEnvelope } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { ProjectionHandler } from '../consumer/handler.ts';

/** Whether a projection has handled an event. It leaves no row: its copy is as new as the event, or newer. */
export const isProjected = async (db: Db, handler: ProjectionHandler, event: EventEnvelope): Promise<boolean> => {
  const { _id } = handler.project(event);
  const copies = db.collection<{ _id: string; seq: string }>(handler.collection);
  const copy = await copies.findOne({ _id, seq: { $gte: event.sequence } }, { projection: { _id: 1 } });
  return copy !== null;
};
