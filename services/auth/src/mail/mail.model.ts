/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import type { RecordedDocument } from '@causeway/events';
import { Schema } from 'mongoose';
import type { Connection, QueryFilter } from 'mongoose';

import type { ErasedAddresses } from '../erasure/erased-addresses.ts';
import type { MailName } from './mail-names.ts';

/** A mail that is to be sent, or was. What it says is made from its template when it is sent, and kept nowhere. */
export interface MailDocument extends RecordedDocument {
  readonly to: string;
  /** As addresses are compared: the erasure of whoever has it finds by that what others had sent there. Missing in earlier rows of an account. */
  readonly toKey?: string;
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

/** A link, and which account has had it mailed. */
export interface ForeignLink {
  readonly _id: string;
  readonly accountId: string;
}

/** The collection's name. */
export const mailsCollection = 'mails';

const mailSchema = new Schema<MailDocument>(
  {
    _id: { type: String, required: true },
    toKey: String,
    accountId: String,
    proofId: String,
    status: String,
    endedAt: Date,
    createdAt: Date,
  },
  { collection: mailsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
)
  .index({ accountId: 1, endedAt: 1 }, { name: 'of-owner' })
  .index({ toKey: 1 }, { name: 'of-nobody', sparse: true })
  .index({ endedAt: 1 }, { name: 'ended', sparse: true })
  .index({ status: 1 }, { name: 'waiting', partialFilterExpression: { status: 'queued' } });

/** Reads of mails. Writes go through `@causeway/events`. */
export interface MailQueries {
  ensureIndexes(): Promise<void>;
  /**
   * Ids of all the mails of somebody who is erased, and of those that went to their addresses for others, or while these were nobody's; but not
   * of one that others have had sent, or that is to be sent, since the end of the account.
   *
   * @param but - ids of proofs, whose mails stay
   */
  idsOf(
    erased: ErasedAddresses & { readonly accountId: string; readonly but: readonly string[] },
    limit: number,
  ): Promise<string[]>;
  /** Ids of the mails that bring links of accounts. */
  idsOfLinks(links: readonly ForeignLink[]): Promise<string[]>;
  /** How many are to be sent still, of so many at most. */
  countWaiting(atMost: number): Promise<number>;
  /** Ids of mails that were over before a time. */
  endedBefore(time: Date, limit: number, but?: readonly string[]): Promise<string[]>;
  /** Of these, those that are not known to be anybody's. */
  endedOfNobodyBefore(time: Date, limit: number, but?: readonly string[]): Promise<string[]>;
}

/** @param connection - to this service's database */
export function mailQueries(connection: Connection): MailQueries {
  const model = connection.model('Mail', mailSchema);
  type Ids = { readonly _id: string }[];
  const idsIn = async (filter: QueryFilter<MailDocument>, limit: number) =>
    (await model.find(filter).select('_id').limit(limit).lean<Ids>().exec()).map((each) => each._id);
  const not = (but: readonly string[]): QueryFilter<MailDocument> =>
    but.length === 0 ? {} : { _id: { $nin: [...but] } };
  return {
    ensureIndexes: () => model.createIndexes(),
    async idsOf({ accountId, emailKeys, erasedAt, but }, limit) {
      const own = await idsIn({ accountId }, limit);
      if (own.length > 0 || emailKeys.length === 0) return own;
      const toKey = { $in: [...emailKeys] };
      const isBefore = { createdAt: { $lte: erasedAt } };
      const ofNobody = { toKey, accountId: null, proofId: { $nin: [...but] } };
      const ofOthers = { toKey, accountId: { $nin: [null, accountId] } };
      const isOver = { $or: [{ status: { $ne: 'queued' as const } }, isBefore] };
      const filter = {
        $or: [
          { ...ofNobody, ...isOver },
          { ...ofOthers, ...isBefore },
        ],
      };
      return idsIn(filter, limit);
    },
    idsOfLinks: async (links) => {
      const accountId = { $in: links.map((link) => link.accountId) };
      const ids = { accountId, proofId: { $in: links.map(({ _id }) => _id) } };
      return (await model.find(ids).select('_id').lean<Ids>().exec()).map(({ _id }) => _id);
    },
    countWaiting: (atMost) => model.countDocuments({ status: 'queued' }, { limit: atMost }).exec(),
    endedBefore: (time, limit, but = []) => idsIn({ endedAt: { $lt: time }, ...not(but) }, limit),
    endedOfNobodyBefore: (time, limit, but = []) =>
      idsIn({ accountId: null, endedAt: { $lt: time }, ...not(but) }, limit),
  };
}
