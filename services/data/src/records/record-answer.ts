import { etag } from '@causeway/service';
import { z } from 'zod';

import type { RecordDocument } from './record.model.ts';
import { answerRecord } from './record.model.ts';

/** A record as clients see it; its own fields are the collection's business. */
export const recordAnswer = z
  .object({
    id: z.string(),
    revision: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    createdBy: z.string().optional(),
    updatedBy: z.string().optional(),
  })
  .loose();

/** The headers of an answer to a write. */
export const writeHeaders = {
  ETag: { description: "The record's revision." },
  'Causeway-Event': { description: 'The id of the event; absent where nothing has changed.' },
};

/** The request header of a read. */
export const afterHeader = {
  'Causeway-After': { description: 'The highest `Causeway-Position` seen: nothing older is answered.' },
};

/** The parameters of a call about one record. */
export const recordParams = z.object({ collection: z.string(), id: z.string() });

/** Answers with a record that was written. */
export const answerWritten = (document: RecordDocument, eventId: string | undefined) => ({
  status: 200 as const,
  headers: { ETag: etag(document.revision), 'Causeway-Event': eventId },
  body: answerRecord(document),
});
