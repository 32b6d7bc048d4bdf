import type { RecordedCollection, RecordedDocument } from '@causeway/events';

/** A key that access tokens are, will be or were signed with. */
export interface SigningKey {
  /** Its RFC 7638 thumbprint: the `kid` of tokens. */
  readonly kid: string;
  /**
   * `published`: verifiers learn of it. `active`: signs. `retiring`: another signs, though who has not heard of that yet still uses it.
   * `retired`: nobody can sign with it any more, but what it has signed may be valid still.
   */
  readonly state: 'published' | 'active' | 'retiring' | 'retired';
  readonly publicJwk: { readonly kty: string; readonly crv: string; readonly x: string };
  /** The private JWK, encrypted, in Base64; gone once it is retired. */
  readonly sealed?: string;
  readonly publishedAt: Date;
  readonly activatedAt?: Date;
  /** When the next key became the active one. */
  readonly supersededAt?: Date;
}

/** All keys at once: one document, so that one compare-and-set decides which replica takes the next step. */
export interface KeyringDocument extends RecordedDocument {
  /** The oldest first. */
  readonly keys: readonly SigningKey[];
  /** Ids of the master keys that opened the root key when that was last told; missing in rows of an earlier release. */
  readonly openedBy?: readonly string[];
}

/** The collection's name. */
export const keyringsCollection = 'keyrings';

/** Of the only document. */
export const keyringId = 'signing';

/** The keys as they were at a time. */
export interface KeyringReading {
  readonly keys: readonly SigningKey[];
  /** By MongoDB's clock. */
  readonly at: Date;
}

const readWithinMs = 5_000;

/** @returns reads the keys, with MongoDB's time */
export const keyringReader =
  ({ native }: Pick<RecordedCollection<KeyringDocument>, 'native'>) =>
  async (): Promise<KeyringReading> => {
    const reading = native.aggregate<KeyringReading>(
      [{ $match: { _id: keyringId } }, { $project: { keys: 1, at: '$$NOW' } }],
      { maxTimeMS: readWithinMs },
    );
    const found = await reading.next();
    if (found === null) throw new Error('there is no keyring in the database');
    return found;
  };
