/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';

/** A key that access tokens are, will be or were signed with. Carries no events: nobody but this service learns of it by them. */
export interface SigningKeyDocument {
  /** Its place in the order of keys, the first is 1: replicas that make a key at once agree by who inserts it. */
  readonly _id: number;
  /** Its RFC 7638 thumbprint: the `kid` of tokens. */
  readonly kid: string;
  /** `published`: verifiers learn of it. `active`: signs. `retired`: neither, since every token that it signed has expired. */
  readonly state: 'published' | 'active' | 'retired';
  readonly publicJwk: { readonly kty: string; readonly crv: string; readonly x: string };
  /** The private JWK, encrypted under the master key, in Base64. */
  readonly sealedPrivateJwk: string;
  readonly createdAt: Date;
}

const signingKeySchema = new Schema<SigningKeyDocument>(
  {
    _id: { type: Number, required: true },
    kid: { type: String, required: true },
    state: { type: String, enum: ['published', 'active', 'retired'], required: true },
    publicJwk: { kty: String, crv: String, x: String },
    sealedPrivateJwk: { type: String, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'signing-keys', autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
);

/** Reads and writes of signing keys. */
export interface SigningKeyStore {
  /** All that are not retired, the newest first. */
  list(): Promise<SigningKeyDocument[]>;
  /** @returns false where another replica has inserted one at this place already */
  insert(key: SigningKeyDocument): Promise<boolean>;
}

const duplicateKey = 11_000;

/** @param connection - to this service's database */
export function signingKeyStore(connection: Connection): SigningKeyStore {
  const model = connection.model('SigningKey', signingKeySchema);
  return {
    list: () =>
      model
        .find({ state: { $ne: 'retired' } })
        .sort({ _id: -1 })
        .lean<SigningKeyDocument[]>()
        .exec(),
    insert: async (key) => {
      try {
        await model.create(key);
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === duplicateKey) return false;
        throw error;
      }
    },
  };
}
