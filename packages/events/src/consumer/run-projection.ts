import type { EventEnvelope } from '@causeway/contracts';
import type { Db } from 'mongodb';

import { isDuplicateKey } from '../recording/errors.ts';
import type { ProjectionHandler } from './handler.ts';

/**
 * Brings a projection's copy up to an event, unless it is as new.
 *
 * @param event - as the handler's contract has it
 * @param into - the collection of the copies
 */
export const runProjection = async (
  db: Db,
  handler: ProjectionHandler,
  event: EventEnvelope,
  into = handler.collection,
): Promise<void> => {
  const projected = handler.project(event);
  const { _id } = projected;
  const copies = db.collection<{ _id: string; seq: string }>(into);
  const seq = { seq: event.sequence };
  const set = 'deleted' in projected ? { ...seq, deleted: new Date(event.time) } : { ...projected.set, ...seq };
  const state =
    'deleted' in projected
      ? [{ $replaceWith: { $literal: { _id, ...set } } }]
      : { $set: set, $unset: { deleted: '' as const } };
  const older = { _id, seq: { $lt: event.sequence } };
  try {
    await copies.updateOne(older, state, { upsert: true });
  } catch (error) {
    // Another unique index is a failure like any other.
    if (!isDuplicateKey(error) || !('_id' in ((error.keyPattern ?? {}) as object))) throw error;
    // The copy is as new as this event, or newer; or it was made at this moment by an older one, which runs beside us.
    await copies.updateOne(older, state);
  }
};
