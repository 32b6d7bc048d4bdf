import type { RecordedDocument, StateOf } from '@causeway/events';

import type { SealedFields } from '../encryption/sealed-fields.ts';

/** A record's fields, as its author named them. */
export type Fields = Readonly<Record<string, unknown>>;

/** A record as it is stored: what users name lies under `fields`, so that no filter, rule or index reaches the rest. */
export interface RecordDocument extends RecordedDocument {
  /** The number of the definition that it was last written under; the collection's validator demands the current one. */
  readonly def: number;
  readonly fields: Fields;
  /** What is stored encrypted, and is not in `fields`. */
  readonly sealed?: SealedFields;
  readonly createdBy?: string;
  readonly updatedBy?: string;
  /**
   * Not before this time the reaper looks whether the record's own time is over (`expiry/`); where there is none, never. It is a hint, of its
   * definition and of one that is about to come: what counts is in `fields`.
   */
  readonly expiresAt?: Date;
}

/** What a use case decides about a record. */
export type RecordState = StateOf<RecordDocument>;

/** What of a stored record is shown and judged; `outbox`, `event` and `def` are nobody's business. */
export type VisibleRecord = Pick<
  RecordDocument,
  '_id' | 'revision' | 'fields' | 'sealed' | 'createdAt' | 'updatedAt' | 'createdBy' | 'updatedBy'
>;

/** Reads of a stored record what may be shown. */
export const visibleProjection = {
  revision: 1,
  fields: 1,
  sealed: 1,
  createdAt: 1,
  updatedAt: 1,
  createdBy: 1,
  updatedBy: 1,
} as const;

/** A record as clients see it. */
export interface RecordAnswer {
  readonly id: string;
  readonly revision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly createdBy?: string;
  readonly updatedBy?: string;
  readonly [field: string]: unknown;
}

declare const shown: unique symbol;

/**
 * A record, or a part of one, without what is hidden from whoever it is for. Only `rules/see.ts` makes it, so that no record leaves the
 * service by a way that has forgotten the rules of fields.
 */
export type Shown<R> = R & { readonly [shown]: true };

/** Shows a record: its fields among what the service keeps about it, which no field can hide. */
export const answerRecord = (record: Shown<VisibleRecord>): RecordAnswer => ({
  id: record._id,
  ...record.fields,
  revision: record.revision,
  createdAt: record.createdAt.toISOString(),
  updatedAt: record.updatedAt.toISOString(),
  ...(record.createdBy === undefined ? {} : { createdBy: record.createdBy }),
  ...(record.updatedBy === undefined ? {} : { updatedBy: record.updatedBy }),
});
