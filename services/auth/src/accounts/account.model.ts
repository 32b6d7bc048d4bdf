/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import { readAfter, readAfterTimeoutMs } from '@causeway/events';
import type { RecordedDocument } from '@causeway/events';
import type { Timestamp } from 'mongodb';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';

/** What an account may do. An administrator is a member too. */
export type Role = 'admin' | 'member';

/** A person's account: who they are to this service, and how they prove it. */
export interface AccountDocument extends RecordedDocument {
  /** As its owner writes it. */
  readonly email: string;
  /** As it is compared; unique. */
  readonly emailKey: string;
  readonly emailVerified: boolean;
  readonly roles: readonly Role[];
  /** An encoded argon2id hash. Leaves this collection in no event and no answer. */
  readonly passwordHash: string;
}

/** An account without the hash of its password: what the rest of the service works with. */
export type Account = Pick<
  AccountDocument,
  '_id' | 'email' | 'emailVerified' | 'roles' | 'revision' | 'createdAt' | 'updatedAt'
>;

/** An account as signing in needs it. */
export type Credentials = Account & Pick<AccountDocument, 'passwordHash'>;

/** The collection's name. */
export const accountsCollection = 'accounts';

const accountSchema = new Schema<AccountDocument>(
  {
    _id: { type: String, required: true },
    email: { type: String, required: true },
    emailKey: { type: String, required: true },
    emailVerified: { type: Boolean, required: true },
    roles: { type: [{ type: String, enum: ['admin', 'member'] }], required: true },
    passwordHash: { type: String, required: true },
    revision: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: accountsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
).index({ emailKey: 1 }, { unique: true, name: 'email' });

const accountFields = ['email', 'emailVerified', 'roles', 'revision', 'createdAt', 'updatedAt'];

/** Reads of accounts. Writes go through `@causeway/events`. */
export interface AccountQueries {
  ensureIndexes(): Promise<void>;
  /** @param after - nothing older is read */
  byId(id: string, after?: Timestamp): Promise<Account | undefined>;
  /** @param emailKey - the `key` of an e-mail address */
  byEmail(emailKey: string): Promise<Credentials | undefined>;
  /** An account with the hash of its password. */
  credentialsOf(id: string): Promise<Credentials | undefined>;
}

/** @param connection - to this service's database */
export function accountQueries(connection: Connection): AccountQueries {
  const model = connection.model('Account', accountSchema);
  const withHash = [...accountFields, 'passwordHash'];
  return {
    ensureIndexes: () => model.createIndexes(),
    byId: async (id, after) =>
      (await readAfter(connection.getClient(), after, (options) =>
        model
          .findById(id)
          .select(accountFields)
          .setOptions(options)
          .maxTimeMS(readAfterTimeoutMs)
          .lean<Account>()
          .exec(),
      )) ?? undefined,
    byEmail: async (emailKey) =>
      (await model.findOne({ emailKey }).select(withHash).lean<Credentials>().exec()) ?? undefined,
    credentialsOf: async (id) => (await model.findById(id).select(withHash).lean<Credentials>().exec()) ?? undefined,
  };
}
