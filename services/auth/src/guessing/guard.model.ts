/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import type { RecordedDocument } from '@causeway/events';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';

/** What was guessed at an account, as it was told by events. Its `_id` is the account's id. What decides is in the counters. */
export interface GuardDocument extends RecordedDocument {
  /** Wrong guesses since the last sign-in. */
  readonly failures: number;
  /** Since when devices that the account does not know are not listened to. */
  readonly lockedAt?: Date;
}

/** The `_id` of the one that stands for all addresses that nobody has. */
export const nobodysGuard = 'unknown';

/** The collection's name. */
export const guardsCollection = 'guards';

const guardSchema = new Schema<GuardDocument>(
  { _id: { type: String, required: true }, lockedAt: Date },
  { collection: guardsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
).index({ lockedAt: 1 }, { name: 'locked', sparse: true });

/** Reads of guards. Writes go through `@causeway/events`. */
export interface GuardQueries {
  ensureIndexes(): Promise<void>;
  /** How many accounts were locked since a time and are still, of so many at most. */
  countLocked(since: Date, atMost: number): Promise<number>;
}

/** @param connection - to this service's database */
export function guardQueries(connection: Connection): GuardQueries {
  const model = connection.model('Guard', guardSchema);
  return {
    ensureIndexes: () => model.createIndexes(),
    countLocked: (since, atMost) => model.countDocuments({ lockedAt: { $gt: since } }, { limit: atMost }).exec(),
  };
}
