import type { Db } from 'mongodb';

import { recordsCollection } from './collection.model.ts';

/**
 * Creates the MongoDB collection for the records of a definition.
 *
 * @param def - what records have to say at least
 */
export async function createRecordsCollection(db: Db, definitionId: string, def: number): Promise<void> {
  await db.createCollection(recordsCollection(definitionId), validatorFor(def));
}

/**
 * Makes MongoDB refuse writes under an older definition, whoever makes them: a replica that has not heard of the new one
 * is refused, reads it, and tries again.
 *
 * @param def - what records have to say at least from now on
 */
export async function demandDefinition(db: Db, definitionId: string, def: number): Promise<void> {
  await db.command({ collMod: recordsCollection(definitionId), ...validatorFor(def), writeConcern: { w: 'majority' } });
}

const validatorFor = (def: number) => ({
  validator: { def: { $gte: def } },
  validationLevel: 'strict' as const,
  validationAction: 'error' as const,
});

/** MongoDB's code for a document that its collection's validator refuses. */
export const validationFailureCode = 121;
