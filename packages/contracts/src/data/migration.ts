import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** What every event of a migration tells. */
const migration = {
  /** Its name: it is the id of the thing. */
  migration: z.string(),
  direction: z.enum(['up', 'down']).describe('`down` while it is reverted.'),
};

/** How far a migration is. */
const progress = {
  step: z.number().int().describe('How many steps are done.'),
  steps: z.number().int(),
  looked: z.number().int().describe('Records that have been looked at, in all steps.'),
  changed: z.number().int().describe('Records that have been changed or deleted, in all steps.'),
};

/** A migration is under way, or goes on after it had stopped. */
export const migrationBegun = defineEvent({
  type: 'data.migration.begun',
  version: 1,
  thing: 'migration',
  description: 'An administrator has a migration made or reverted, or go on after it had stopped.',
  data: { ...migration, steps: z.number().int(), resumed: z.boolean() },
});

/** A migration has got on. */
export const migrationProgressed = defineEvent({
  type: 'data.migration.progressed',
  version: 1,
  thing: 'migration',
  description: 'A migration has looked at some 10,000 more records.',
  data: { ...migration, ...progress },
});

/** A migration is over, or has stopped at something that is in its way. */
export const migrationEnded = defineEvent({
  type: 'data.migration.ended',
  version: 1,
  thing: 'migration',
  description: 'A migration has been made or reverted, or has stopped at a record that it cannot change.',
  data: {
    ...migration,
    ...progress,
    outcome: z.enum(['applied', 'reverted', 'stopped']),
    failure: z
      .object({
        code: z.string(),
        collection: z.string(),
        recordId: z.string().optional(),
      })
      .optional()
      .describe('What is in its way.'),
  },
});
