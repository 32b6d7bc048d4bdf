import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

const definition = z.record(z.string(), z.unknown());

/** An administrator has defined a collection. */
export const collectionCreated = defineEvent({
  type: 'data.collection.created',
  version: 1,
  thing: 'collection',
  description: 'An administrator has defined a collection.',
  data: { collectionId: z.string(), name: z.string(), definition },
});

/** An administrator has changed a collection's definition; carries it whole. */
export const collectionUpdated = defineEvent({
  type: 'data.collection.updated',
  version: 1,
  thing: 'collection',
  description: "An administrator has changed a collection's definition; carries it whole.",
  data: { collectionId: z.string(), name: z.string(), definition },
});

/** An administrator has removed a collection. */
export const collectionDeleted = defineEvent({
  type: 'data.collection.deleted',
  version: 1,
  thing: 'collection',
  description: 'An administrator has removed a collection.',
  data: { collectionId: z.string(), name: z.string() },
});
