/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import type { RecordedDocument } from '@causeway/events';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';

import type { MailName } from './mail-names.ts';

/** A mail that is to be sent, or was. What it says is made from its template when it is sent, and kept nowhere. */
export interface MailDocument extends RecordedDocument {
  readonly to: string;
  readonly template: MailName;
  /** What the template may name, by its names. Never a secret: links are made when the mail is sent. */
  readonly params: Readonly<Record<string, string>>;
  readonly accountId?: string;
  /** Whose link it brings. */
  readonly proofId?: string;
  readonly status: 'queued' | 'sent' | 'failed' | 'withdrawn';
  /** Attempts that have come to an end. */
  readonly attempts: number;
  /** When it was sent, given up or withdrawn. */
  readonly endedAt?: Date;
}

/** The collection's name. */
export const mailsCollection = 'mails';

const mailSchema = new Schema<MailDocument>(
  {
    _id: { type: String, required: true },
    accountId: String,
    proofId: String,
    status: String,
    endedAt: Date,
  },
  { collection: mailsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
)
  .index({ accountId: 1 }, { name: 'of-account', sparse: true })
  .index({ proofId: 1 }, { name: 'of-proof', sparse: true })
  .index({ endedAt: 1 }, { name: 'ended', sparse: true })
  .index({ status: 1 }, { name: 'waiting', partialFilterExpression: { status: 'queued' } });

/** Reads of mails. Writes go through `@causeway/events`. */
export interface MailQueries {
  ensureIndexes(): Promise<void>;
  /** Ids of all the account's mails, and of those that brought the links of some proofs. */
  idsOf(whose: { readonly accountId: string; readonly proofIds: readonly string[] }, limit: number): Promise<string[]>;
  /** How many are to be sent still, of so many at most. */
  countWaiting(atMost: number): Promise<number>;
  /** Ids of mails that were over before a time. */
  endedBefore(time: Date, limit: number): Promise<string[]>;
}

/** @param connection - to this service's database */
export function mailQueries(connection: Connection): MailQueries {
  const model = connection.model('Mail', mailSchema);
  type Ids = { readonly _id: string }[];
  return {
    ensureIndexes: () => model.createIndexes(),
    idsOf: async ({ accountId, proofIds }, limit) => {
      const query = model.find({ $or: [{ accountId }, { proofId: { $in: [...proofIds] } }] });
      return (await query.select('_id').limit(limit).lean<Ids>().exec()).map((each) => each._id);
    },
    countWaiting: (atMost) => model.countDocuments({ status: 'queued' }, { limit: atMost }).exec(),
    endedBefore: async (time, limit) => {
      const query = model.find({ endedAt: { $lt: time } });
      return (await query.select('_id').limit(limit).lean<Ids>().exec()).map((each) => each._id);
    },
  };
}
