/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import { readAfter, readAfterTimeoutMs } from '@causeway/events';
import type { RecordedDocument } from '@causeway/events';
import type { Timestamp } from 'mongodb';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';

/** How surely somebody is who they say: by one proof, or by two of different kinds (NIST SP 800-63B §2). */
export type AssuranceLevel = 'aal1' | 'aal2';

/** Why a session is over. */
export type EndReason =
  | ('signed-out' | 'revoked' | 'refresh-reused' | 'expired')
  | ('password-changed' | 'email-changed' | 'factor-removed')
  | ('account-disabled' | 'administrator' | 'account-deleted');

/** How its tokens get to the client: in the body of the answer, or in cookies that no script reads. */
export type Delivery = 'body' | 'cookies';

/** One sign-in of one person at one client, kept alive by refreshing. */
export interface SessionDocument extends RecordedDocument {
  readonly accountId: string;
  /** How it began: `sign-up`, `password`, … */
  readonly method: string;
  /** The account's `accessVersion` when it began, or when it was let stay; 1 where it is missing, in rows of an earlier release. */
  readonly accountVersion?: number;
  /** How its owner has proved who they are, how surely, and when they last did. `authentication.ts` knows what rows without them mean. */
  readonly amr?: readonly string[];
  readonly acr?: AssuranceLevel;
  readonly authTime?: Date;
  /** Of a client that has been known to the account for longer than the session. */
  readonly deviceId?: string;
  /** `body` where it is missing. */
  readonly delivery?: Delivery;
  readonly status: 'live' | 'ended';
  /** 32 random bytes that its refresh tokens are derived from, together with a secret that is not in the database. */
  readonly seed: string;
  /** SHA-256 of the current refresh token. */
  readonly refreshHash: string;
  /** Of the current refresh token; the first is 1. */
  readonly generation: number;
  /** When the current refresh token was made. */
  readonly rotatedAt: Date;
  readonly lastUsedAt: Date;
  /** When it is over if nobody uses it any more. */
  readonly expiresAt: Date;
  readonly ip?: string;
  readonly userAgent?: string;
  readonly endedAt?: Date;
  readonly endReason?: EndReason;
}

/** A session as its owner sees it. */
export type SessionSummary = Pick<
  SessionDocument,
  '_id' | 'accountVersion' | 'createdAt' | 'lastUsedAt' | 'userAgent' | 'ip'
>;

/** The collection's name. */
export const sessionsCollection = 'sessions';

/** How many sessions one list shows, the last used ones. */
const listLimit = 200;

const sessionSchema = new Schema<SessionDocument>(
  {
    _id: { type: String, required: true },
    accountId: { type: String, required: true },
    method: { type: String, required: true },
    accountVersion: Number,
    amr: { type: [String], default: undefined },
    acr: String,
    authTime: Date,
    deviceId: String,
    delivery: String,
    status: { type: String, enum: ['live', 'ended'], required: true },
    seed: { type: String, required: true },
    refreshHash: { type: String, required: true },
    generation: { type: Number, required: true },
    rotatedAt: { type: Date, required: true },
    lastUsedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    ip: String,
    userAgent: String,
    endedAt: Date,
    endReason: String,
    createdAt: { type: Date, required: true },
  },
  { collection: sessionsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
)
  .index({ accountId: 1, status: 1, lastUsedAt: -1 }, { name: 'of-account' })
  .index({ expiresAt: 1 }, { name: 'expiry', partialFilterExpression: { status: 'live' } })
  .index({ endedAt: 1 }, { name: 'ended', sparse: true });

/** Reads of sessions. Writes go through `@causeway/events`. */
export interface SessionQueries {
  ensureIndexes(): Promise<void>;
  /**
   * The account's live sessions, the last used first; at most 200.
   *
   * @param after - nothing older is read
   */
  listLive(accountId: string, now: Date, after?: Timestamp): Promise<SessionSummary[]>;
  /** Ids of the account's sessions that have not been ended, but for one. */
  liveIdsBut(accountId: string, but: string, limit: number): Promise<string[]>;
  /** Ids of the account's sessions that have not been ended, and were begun under a lower version of it. */
  liveIdsBelow(accountId: string, accountVersion: number, limit: number): Promise<string[]>;
  /** Ids of all the account's sessions, live and ended. */
  idsOf(accountId: string, limit: number): Promise<string[]>;
  /** Ids of sessions that are over by time and have not been ended. */
  expiredIds(now: Date, limit: number): Promise<string[]>;
  /** Ids and ends of sessions that were ended since then. */
  endedSince(since: Date): AsyncIterable<{ readonly _id: string; readonly endedAt: Date }>;
}

/** @param connection - to this service's database */
export function sessionQueries(connection: Connection): SessionQueries {
  const model = connection.model('Session', sessionSchema);
  type Ids = { readonly _id: string }[];
  return {
    ensureIndexes: () => model.createIndexes(),
    listLive: (accountId, now, after) =>
      readAfter(connection.getClient(), after, (options) =>
        model
          .find({ accountId, status: 'live', expiresAt: { $gt: now } })
          .select(['accountVersion', 'createdAt', 'lastUsedAt', 'userAgent', 'ip'])
          .sort({ lastUsedAt: -1 })
          .limit(listLimit)
          .setOptions(options)
          .maxTimeMS(readAfterTimeoutMs)
          .lean<SessionSummary[]>()
          .exec(),
      ),
    liveIdsBut: async (accountId, but, limit) => {
      const query = model.find({ accountId, status: 'live', _id: { $ne: but } });
      return (await query.select('_id').limit(limit).lean<Ids>().exec()).map((each) => each._id);
    },
    liveIdsBelow: async (accountId, accountVersion, limit) => {
      // Rows of an earlier release have none, which is the lowest.
      const query = model.find({ accountId, status: 'live', accountVersion: { $not: { $gte: accountVersion } } });
      return (await query.select('_id').limit(limit).lean<Ids>().exec()).map((each) => each._id);
    },
    idsOf: async (accountId, limit) =>
      (await model.find({ accountId }).select('_id').limit(limit).lean<Ids>().exec()).map((each) => each._id),
    expiredIds: async (now, limit) => {
      const query = model.find({ status: 'live', expiresAt: { $lte: now } }).sort({ expiresAt: 1 });
      return (await query.select('_id').limit(limit).lean<Ids>().exec()).map((each) => each._id);
    },
    endedSince: (since) =>
      model
        .find({ endedAt: { $gte: since } })
        .select('endedAt')
        .lean<{ readonly _id: string; readonly endedAt: Date }>()
        .cursor(),
  };
}
