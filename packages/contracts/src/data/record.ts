import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

const fields = z.record(z.string(), z.unknown());
const record = {
  collectionId: z.string(),
  collection: z.string(),
  recordId: z.string(),
  /** Dotted paths within the fields that not everybody sees who sees the record, as of when it was recorded. */
  guarded: z.array(z.string()).optional(),
  /** Dotted paths within the fields that are stored encrypted: what stands there is left out here. */
  encrypted: z.array(z.string()).optional(),
};

/** A record has been created; carries its fields. */
export const recordCreated = defineEvent({
  type: 'data.record.created',
  version: 1,
  thing: 'record',
  description: 'A record has been created; carries its fields.',
  data: { ...record, fields, createdBy: z.string().optional() },
});

/** Who created the record and when (ISO 8601), so that the record can be told whole without asking for it. */
const origin = { createdAt: z.string(), createdBy: z.string().optional() };

/** A record has changed; carries its fields before and after. */
export const recordUpdated = defineEvent({
  type: 'data.record.updated',
  version: 1,
  thing: 'record',
  description: 'A record has changed; carries its fields before and after, and when and by whom it was changed before.',
  data: {
    ...record,
    ...origin,
    fields,
    updatedBy: z.string().optional(),
    before: fields,
    beforeUpdatedAt: z.string(),
    beforeUpdatedBy: z.string().optional(),
    reason: z.string().optional().describe('`migration`: a migration has changed it.'),
  },
});

/** A record has been deleted; carries its last fields. */
export const recordDeleted = defineEvent({
  type: 'data.record.deleted',
  version: 1,
  thing: 'record',
  description: 'A record has been deleted; carries its last fields, and when and by whom it was changed before.',
  data: {
    ...record,
    ...origin,
    before: fields,
    beforeUpdatedAt: z.string(),
    beforeUpdatedBy: z.string().optional(),
    deletedBy: z.string().optional(),
    reason: z
      .string()
      .optional()
      .describe(
        '`cascade`: it went with another record, to which it referred; `expired`: its time was over; `migration`: a migration has deleted it.',
      ),
    parentEvent: z.string().optional().describe('The event of the record that it went with.'),
  },
});
