import { z } from 'zod';

import type { ShownRecord } from './show-record.ts';

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
  ETag: { description: "The record's revision; weak for callers to whom fields may be hidden." },
  'Causeway-Event': { description: 'The id of the event; absent where nothing has changed.' },
};

/** What an answer to a read says to caches. */
export const keptHeaders = {
  'Cache-Control': {
    description:
      '`no-cache`: it may be kept, and is asked for again each time by its `ETag`; `public` where everybody sees all of it and no token was sent, else `private`.',
  },
};

/** The request header of a read. */
export const afterHeader = {
  'Causeway-After': { description: 'The highest `Causeway-Position` seen: nothing older is answered.' },
};

/** The parameters of a call about one record. */
export const recordParams = z.object({ collection: z.string(), id: z.string() });

/** Answers with a record that was written. */
export const answerWritten = ({ record, tag }: ShownRecord, eventId: string | undefined) => ({
  status: 200 as const,
  headers: { ETag: tag, 'Causeway-Event': eventId },
  body: record,
});
