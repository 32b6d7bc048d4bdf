import type { RecordedDocument } from '@causeway/events';
import type { Collection, Db } from 'mongodb';

import type { AuditEntry } from './audit-entry.ts';

/** Where a chain stands. Whoever appends writes it in the same transaction, so that of two at once one is made anew. */
export interface AuditHead {
  /** The chain. */
  readonly _id: number;
  readonly seq: number;
  readonly hash: string;
}

/** Where a chain stood when it was last told to the world, by `auth.audit.sealed`. Its `_id` is the chain. */
export interface AuditSealDocument extends RecordedDocument {
  readonly seq: number;
  readonly hash: string;
}

/** The name of the collection of {@link AuditSealDocument}s. */
export const auditSealsCollection = 'audit-seals';

/** The collections of the audit. */
export interface AuditCollections {
  readonly entries: Collection<AuditEntry>;
  readonly heads: Collection<AuditHead>;
  ensureIndexes(): Promise<void>;
}

/** @param db - this service's, at majority */
export const auditCollections = (db: Db): AuditCollections => {
  const entries = db.collection<AuditEntry>('audit');
  const heads = db.collection<AuditHead>('audit-heads');
  return {
    entries,
    heads,
    async ensureIndexes() {
      await entries.createIndexes([
        { key: { eventId: 1 }, name: 'event', unique: true },
        { key: { at: -1, _id: -1 }, name: 'newest' },
        { key: { accountId: 1, at: -1, _id: -1 }, name: 'newest-of-account' },
        { key: { actorId: 1, at: -1, _id: -1 }, name: 'newest-of-actor' },
        { key: { type: 1, at: -1, _id: -1 }, name: 'newest-of-type' },
      ]);
    },
  };
};
