import type { CacheCodec } from '@causeway/cache';
import { formatPosition, parseAfter } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import { showWhole } from '../rules/see.ts';
import { heldBytes, heldTextBytes } from './held-bytes.ts';
import type { RecordAnswer, VisibleRecord } from './record.model.ts';
import { answerRecord } from './record.model.ts';

/** A record as it is cached: to be judged, and to be answered. */
export interface CachedRecord {
  readonly record: VisibleRecord;
  readonly json: string;
  /** MongoDB's time once it had been read: it shows nothing newer. */
  readonly asOf: Timestamp | undefined;
}

/** As it lies in Redis. */
type StoredRecord = VisibleRecord & Pick<RecordAnswer, 'createdAt' | 'updatedAt'>;

/** Of the position, and of the objects around. */
const overheadBytes = 100;

export const cachedRecord = (record: VisibleRecord, asOf: Timestamp | undefined): CachedRecord => ({
  record,
  json: JSON.stringify(answerRecord(showWhole(record))),
  asOf,
});

/** How records are kept. */
export const recordCodec: CacheCodec<CachedRecord> = {
  encode: ({ record, asOf }) => JSON.stringify({ record, asOf: asOf && formatPosition(asOf) }),
  decode(text) {
    const { record, asOf } = JSON.parse(text) as { readonly record: StoredRecord; readonly asOf?: string };
    const { createdAt, updatedAt, ...rest } = record;
    return cachedRecord({ ...rest, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) }, parseAfter(asOf));
  },
  revisionOf: ({ record }) => record.revision,
  // What is encrypted is in the record, and not in its JSON.
  sizeBytesOf: ({ json, record }) => heldTextBytes(json) + heldBytes(record) + overheadBytes,
};
