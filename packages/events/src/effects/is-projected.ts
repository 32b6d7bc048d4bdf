import { checkRead, ContractViolation, type EventEnvelope } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { Projected, ProjectionHandler } from '../consumer/handler.ts';

const projectedBy = (handler: ProjectionHandler, event: EventEnvelope): Projected | undefined => {
  const contract = handler.on.find(({ type }) => type === event.type);
  try {
    return handler.project(contract === undefined ? event : checkRead(contract, event));
  } catch (error) {
    // It never had an effect.
    if (error instanceof ContractViolation) return undefined;
    throw error;
  }
};

/** Whether a projection has handled an event. It leaves no row: its copy is as new as the event, or newer. */
export const isProjected = async (db: Db, handler: ProjectionHandler, event: EventEnvelope): Promise<boolean> => {
  const projected = projectedBy(handler, event);
  if (projected === undefined) return false;
  const copies = db.collection<{ _id: string; seq: string }>(handler.collection);
  const newer = { _id: projected._id, seq: { $gte: event.sequence } };
  return (await copies.findOne(newer, { projection: { _id: 1 } })) !== null;
};
