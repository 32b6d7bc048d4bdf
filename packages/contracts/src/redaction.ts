import type { EventEnvelope } from './envelope.ts';

/**
 * The `dataschema` of an event whose data was taken away because the person whom it was about has been erased. The event keeps
 * its id, type, subject, sequence, time and causes, so that the tree that it stands in stays whole; its data is
 * {@link RedactedData}.
 */
export const redactedSchema = 'urn:causeway:redacted';

/** What a redacted event has for data. */
export interface RedactedData {
  /** ISO 8601. */
  readonly redactedAt: string;
}

/** Whether an event has lost its data: it can be told, but no handler can be given it. */
export const isRedacted = ({ dataschema }: Pick<EventEnvelope, 'dataschema'>): boolean => dataschema === redactedSchema;
