/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import type { RecordedDocument } from '@causeway/events';
import { Schema } from 'mongoose';
import type { Connection, QueryFilter } from 'mongoose';

import type { KeptCode } from './recovery-codes.ts';

/** What somebody proves who they are with, beside a password. */
export type FactorKind = 'totp' | 'passkey' | 'recovery-codes';

/** A passkey, as its authenticator has told of it (WebAuthn Level 3 §4, "credential record"). */
export interface Passkey {
  /** Base64url, as the public key is (COSE). */
  readonly credentialId: string;
  readonly publicKey: string;
  /** Of its uses, where the authenticator counts: passkeys that are synchronised do not, and say 0. */
  readonly counter: number;
  readonly transports?: readonly string[];
  readonly deviceType: 'singleDevice' | 'multiDevice';
  readonly backedUp: boolean;
  /** The authenticator's model. */
  readonly aaguid: string;
}

/** A factor of an account. */
export interface FactorDocument extends RecordedDocument {
  readonly accountId: string;
  readonly kind: FactorKind;
  /** `pending` until its owner has shown that it works: until then it opens nothing. */
  readonly status: 'pending' | 'active';
  /** What its owner calls it. */
  readonly name: string;
  /** The secret of an authenticator app in Base32, encrypted under the master key. */
  readonly secretSealed?: string;
  /** The time step of the last code that was taken: none up to it is taken any more. */
  readonly lastStep?: number;
  readonly passkey?: Passkey;
  /** When a passkey counted backwards: there are two of it. */
  readonly suspectedAt?: Date;
  /** Recovery codes, used and unused. */
  readonly codes?: readonly KeptCode[];
  /** When they were made; missing in rows of an earlier release, whose `createdAt` is that of the first list. */
  readonly codesAt?: Date;
  readonly lastUsedAt?: Date;
}

/** The collection's name. */
export const factorsCollection = 'factors';

const factorSchema = new Schema<FactorDocument>(
  {
    _id: { type: String, required: true },
    accountId: { type: String, required: true },
    kind: { type: String, required: true },
    status: { type: String, enum: ['pending', 'active'], required: true },
    name: { type: String, required: true },
    secretSealed: String,
    lastStep: Number,
    passkey: {
      type: {
        ...{ _id: false, credentialId: String, publicKey: String, counter: Number },
        ...{
          transports: { type: [String], default: undefined },
          deviceType: String,
          backedUp: Boolean,
          aaguid: String,
        },
      },
      default: undefined,
    },
    suspectedAt: Date,
    codes: { type: [{ _id: false, hash: String, usedAt: Date }], default: undefined },
    codesAt: Date,
    lastUsedAt: Date,
    createdAt: { type: Date, required: true },
  },
  { collection: factorsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
)
  .index({ accountId: 1, status: 1 }, { name: 'of-account' })
  .index(
    { accountId: 1, kind: 1 },
    { name: 'one-totp', unique: true, partialFilterExpression: { kind: 'totp', status: 'active' } },
  )
  .index(
    { accountId: 1, kind: 1 },
    { name: 'one-list-of-codes', unique: true, partialFilterExpression: { kind: 'recovery-codes' } },
  )
  .index(
    { 'passkey.credentialId': 1 },
    { name: 'one-passkey', unique: true, partialFilterExpression: { 'passkey.credentialId': { $exists: true } } },
  )
  .index({ createdAt: 1 }, { name: 'pending', partialFilterExpression: { status: 'pending' } });

/** Reads of factors. Writes go through `@causeway/events`. */
export interface FactorQueries {
  ensureIndexes(): Promise<void>;
  /** The account's active factors, the oldest first. */
  activeOf(accountId: string): Promise<FactorDocument[]>;
  /** @param credentialId - base64url */
  byCredential(credentialId: string): Promise<FactorDocument | undefined>;
  /** Ids of those that wait to be confirmed. */
  pendingIdsOf(accountId: string): Promise<string[]>;
  /** Ids of those that nobody has confirmed since then. */
  pendingIdsBefore(before: Date, limit: number): Promise<string[]>;
  /** Ids of all. */
  idsOf(accountId: string, limit: number): Promise<string[]>;
}

/** @param connection - to this service's database */
export function factorQueries(connection: Connection): FactorQueries {
  const model = connection.model('Factor', factorSchema);
  const ids = async (filter: QueryFilter<FactorDocument>, limit: number): Promise<string[]> => {
    const found = await model.find(filter).select('_id').limit(limit).lean<{ readonly _id: string }[]>().exec();
    return found.map(({ _id }) => _id);
  };
  return {
    ensureIndexes: () => model.createIndexes(),
    activeOf: (accountId) =>
      model.find({ accountId, status: 'active' }).sort({ _id: 1 }).lean<FactorDocument[]>().exec(),
    byCredential: async (credentialId) => {
      const query = model.findOne({ 'passkey.credentialId': credentialId, status: 'active' });
      return (await query.lean<FactorDocument>().exec()) ?? undefined;
    },
    pendingIdsOf: (accountId) => ids({ accountId, status: 'pending' }, 100),
    pendingIdsBefore: (before, limit) => ids({ status: 'pending', createdAt: { $lt: before } }, limit),
    idsOf: (accountId, limit) => ids({ accountId }, limit),
  };
}
