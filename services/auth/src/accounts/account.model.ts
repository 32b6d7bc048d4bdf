/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import { gatherReads, readAfter, readAfterTimeoutMs } from '@causeway/events';
import type { RecordedDocument } from '@causeway/events';
import type { Timestamp } from 'mongodb';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';

import type { EmailAddress } from './email-address.ts';

/** What an account may do. An administrator is a member too. */
export type Role = 'admin' | 'member';

/** A person's account: who they are to this service, and how they prove it. */
export interface AccountDocument extends RecordedDocument {
  /** As its owner writes it. */
  readonly email: string;
  /** As it is compared; unique. */
  readonly emailKey: string;
  /**
   * The addresses that are its own, as they are compared: the current one, then those that are kept for it for a while. Each is in one
   * account alone. Missing in rows of an earlier release: {@link emailKeysOf}.
   */
  readonly emailKeys?: readonly string[];
  readonly emailVerified: boolean;
  readonly roles: readonly Role[];
  /** An encoded argon2id hash. Leaves this collection in no event and no answer. Whoever has passkeys alone has none. */
  readonly passwordHash?: string;
  readonly passwordChangedAt?: Date;
  /** Access tokens of a lower one are refused; 1 at first, and in rows of an earlier release. `accounts/access-version.ts` raises it. */
  readonly accessVersion?: number;
  /** When it was last raised. */
  readonly accessVersionAt?: Date;
  /** Sessions that were begun under a lower `accessVersion` are over; 1 at first, and in rows of an earlier release. */
  readonly sessionsFrom?: number;
  /** Since when nobody can sign in to it, and by whom. */
  readonly disabledAt?: Date;
  readonly disabledBy?: string;
  /** Whether signing in takes more than one proof. */
  readonly hasSecondFactor?: boolean;
}

/** What rows of an earlier release lack. */
type Later = Required<Pick<AccountDocument, 'accessVersion' | 'sessionsFrom' | 'hasSecondFactor'>>;

/** An account without the hash of its password: what the rest of the service works with. */
export type Account = Later &
  Pick<
    AccountDocument,
    '_id' | 'email' | 'emailKey' | 'emailVerified' | 'roles' | 'disabledAt' | 'revision' | 'createdAt' | 'updatedAt'
  >;

/** An account as signing in needs it. */
export type Credentials = Account & Pick<AccountDocument, 'passwordHash'>;

const atFirst: Later = { accessVersion: 1, sessionsFrom: 1, hasSecondFactor: false };

/** What an account begins with. */
export const newAccount = ({
  email: { address: email, key: emailKey },
  ...given
}: { readonly email: EmailAddress } & Pick<AccountDocument, 'emailVerified' | 'roles' | 'passwordHash'>) => ({
  ...{ email, emailKey, emailKeys: [emailKey] },
  ...given,
  ...atFirst,
});

/** A row, with what one of an earlier release lacks. */
export const accountOf = <Row extends Partial<Later>>(row: Row): Row & Later => ({ ...atFirst, ...row });

/** The addresses that are an account's own, the current one first. */
export const emailKeysOf = ({ emailKey, emailKeys }: Pick<AccountDocument, 'emailKey' | 'emailKeys'>) =>
  emailKeys ?? [emailKey];

/** The collection's name. */
export const accountsCollection = 'accounts';

const accountSchema = new Schema<AccountDocument>(
  {
    _id: { type: String, required: true },
    email: { type: String, required: true },
    emailKey: { type: String, required: true },
    emailKeys: { type: [String], default: undefined },
    emailVerified: { type: Boolean, required: true },
    roles: { type: [{ type: String, enum: ['admin', 'member'] }], required: true },
    passwordHash: String,
    passwordChangedAt: Date,
    accessVersion: Number,
    accessVersionAt: Date,
    sessionsFrom: Number,
    disabledAt: Date,
    disabledBy: String,
    hasSecondFactor: Boolean,
    revision: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: accountsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
)
  // Rows of an earlier release have no `emailKeys`, and must not meet by that.
  .index({ emailKeys: 1 }, { unique: true, sparse: true, name: 'emails' })
  .index({ emailKey: 1 }, { unique: true, name: 'email' })
  .index({ createdAt: -1, _id: -1 }, { name: 'newest' })
  // Few, and asked for among all.
  .index({ roles: 1, createdAt: -1, _id: -1 }, { name: 'administrators', partialFilterExpression: { roles: 'admin' } })
  .index(
    { createdAt: -1, _id: -1, disabledAt: 1 },
    { name: 'disabled', partialFilterExpression: { disabledAt: { $exists: true } } },
  )
  .index({ accessVersionAt: 1 }, { sparse: true, name: 'access-version' });

const accountFields = [
  ...['email', 'emailKey', 'emailVerified', 'roles', 'accessVersion', 'sessionsFrom', 'disabledAt', 'hasSecondFactor'],
  ...['revision', 'createdAt', 'updatedAt'],
];

/** Reads of accounts. Writes go through `@causeway/events`. */
export interface AccountQueries {
  ensureIndexes(): Promise<void>;
  /** @param after - nothing older is read */
  byId(id: string, after?: Timestamp): Promise<Account | undefined>;
  /** @param emailKey - the `key` of an e-mail address */
  byEmail(emailKey: string): Promise<Credentials | undefined>;
  /** @param emailKey - of an address that is an account's, or is kept for it since it was changed */
  byAnyEmail(emailKey: string): Promise<Credentials | undefined>;
  /** An account with the hash of its password. */
  credentialsOf(id: string): Promise<Credentials | undefined>;
}

/** @param connection - to this service's database */
export function accountQueries(connection: Connection): AccountQueries {
  const model = connection.model('Account', accountSchema);
  // Read by every sign-in and refresh: the driver alone, without what Mongoose does for a query.
  const client = connection.getClient();
  const rows = client.db(connection.name).collection<AccountDocument>(accountsCollection);
  const account = Object.fromEntries(accountFields.map((field) => [field, 1]));
  const projection = { ...account, passwordHash: 1 };
  const gathered = gatherReads<AccountDocument, Account>(rows, { projection: account, maxTimeMS: readAfterTimeoutMs });
  const whole = <Row extends Partial<Later>>(row: Row | null): (Row & Later) | undefined =>
    row === null ? undefined : accountOf(row);
  return {
    ensureIndexes: () => model.createIndexes(),
    byId: async (id, after) => {
      if (after === undefined) return whole((await gathered(id)) ?? null);
      return whole(
        await readAfter(client, after, (options) =>
          rows.findOne<Account>({ _id: id }, { ...options, projection: account, maxTimeMS: readAfterTimeoutMs }),
        ),
      );
    },
    byEmail: async (emailKey) => whole(await rows.findOne<Credentials>({ emailKey }, { projection })),
    byAnyEmail: async (emailKey) => {
      const either = { $or: [{ emailKey }, { emailKeys: emailKey }] };
      return whole(await rows.findOne<Credentials>(either, { projection }));
    },
    credentialsOf: async (id) => whole(await rows.findOne<Credentials>({ _id: id }, { projection })),
  };
}
