/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import { stateOf } from '@causeway/events';
import type { RecordedDocument } from '@causeway/events';
import { Schema } from 'mongoose';
import type { Connection, QueryFilter } from 'mongoose';

import type { ErasedAddresses } from '../erasure/erased-addresses.ts';
import type { ForeignLink } from '../mail/mail.model.ts';
import type { MailParams } from '../mail/mail-names.ts';
import type { ProofKind } from './proof-kinds.ts';

/** What the mail of a second factor that was added tells beside the link, and for how long that works. */
export type ProofWords = Omit<MailParams<'factor-added'>, 'expiresAt'>;

/** What an account had when a second factor was added to it. */
export interface FactorsBefore {
  /** Second factors: apps and passkeys. */
  readonly factorIds: readonly string[];
  /** Of when its recovery codes were; absent where it had none. */
  readonly codesAt?: Date;
}

/** A link by which somebody proves that an e-mail address is theirs: to be used once. The link itself is derived, and stored nowhere. */
export interface ProofDocument extends RecordedDocument {
  readonly kind: ProofKind;
  /** As it is written to. */
  readonly email: string;
  /** As it is compared. */
  readonly emailKey: string;
  /** Whose the address is; absent until that has been looked up, and where it is nobody's. */
  readonly accountId?: string;
  /** 32 random bytes that the link is derived from, together with a secret that is not in the database. */
  readonly seed: string;
  readonly status: 'open' | 'used' | 'withdrawn';
  readonly expiresAt: Date;
  /** What its mail tells beside the link. */
  readonly told?: ProofWords;
  /** Of one that takes a second factor back. */
  readonly before?: FactorsBefore;
  /** When it was used or withdrawn. */
  readonly endedAt?: Date;
  /** What somebody signs up with, until it is over. An encoded argon2id hash, which leaves this collection for an account's row alone. */
  readonly passwordHash?: string;
  readonly name?: string;
}

/** What a link holds for the account that comes of it. */
export type HeldByProof = Pick<ProofDocument, 'passwordHash' | 'name'>;

/** A proof that is over, with nothing of what it held. */
export const overProof = (proof: ProofDocument, status: 'used' | 'withdrawn', endedAt: Date) => {
  const { passwordHash: _hash, name: _name, ...rest } = stateOf(proof);
  return { ...rest, status, endedAt };
};

/** Of a few addresses, since they are nobody's any more: by far more than there can be within the minutes of an erasure. */
const mostLive = 1_000;

/** The collection's name. */
export const proofsCollection = 'proofs';

const proofSchema = new Schema<ProofDocument>(
  {
    _id: { type: String, required: true },
    kind: { type: String, required: true },
    emailKey: { type: String, required: true },
    accountId: String,
    status: { type: String, enum: ['open', 'used', 'withdrawn'], required: true },
    expiresAt: { type: Date, required: true },
    endedAt: Date,
    createdAt: { type: Date, required: true },
  },
  { collection: proofsCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
)
  .index({ emailKey: 1, kind: 1, createdAt: -1 }, { name: 'of-address' })
  .index({ accountId: 1, status: 1 }, { name: 'of-account', sparse: true })
  .index({ expiresAt: 1 }, { name: 'expiry', partialFilterExpression: { status: 'open' } })
  .index({ endedAt: 1 }, { name: 'ended', sparse: true })
  // Whom nobody's are: a link that was used is somebody's.
  .index({ accountId: 1, endedAt: 1 }, { name: 'withdrawn', partialFilterExpression: { status: 'withdrawn' } });

/** Somebody who is erased, and the addresses that they had. */
type ErasedAccount = ErasedAddresses & { readonly accountId: string };

/** Reads of proofs. Writes go through `@causeway/events`. */
export interface ProofQueries {
  ensureIndexes(): Promise<void>;
  /**
   * Ids of all the proofs of somebody who is erased, of those that were asked for their addresses while these were nobody's, and of those
   * by which other accounts would have changed to them; but not of one that works and is younger than the end of the account: somebody signs
   * up anew, nor of a change that was asked for since.
   */
  idsOf(erased: ErasedAccount, limit: number): Promise<string[]>;
  /**
   * The last of these, in the order of their ids.
   *
   * @param after - an id, or '' from the beginning
   */
  askedByOthers(erased: ErasedAccount, after: string, limit: number): Promise<ForeignLink[]>;
  /** Ids of those others. */
  liveIdsSince(erased: ErasedAddresses): Promise<string[]>;
  /** Ids of proofs that are over by time and have not been withdrawn. */
  expiredIds(now: Date, limit: number): Promise<string[]>;
  /** Ids of proofs that were over before a time. */
  endedBefore(time: Date, limit: number, but?: readonly string[]): Promise<string[]>;
  /** Of these, those that are not known to be anybody's. */
  endedOfNobodyBefore(time: Date, limit: number, but?: readonly string[]): Promise<string[]>;
}

/** @param connection - to this service's database */
export function proofQueries(connection: Connection): ProofQueries {
  const model = connection.model('Proof', proofSchema);
  type Ids = { readonly _id: string }[];
  const idsIn = async (filter: QueryFilter<ProofDocument>, limit: number, by?: 'expiresAt') => {
    const query = model.find(filter).select('_id').limit(limit);
    const sorted = by === undefined ? query : query.sort({ [by]: 1 });
    return (await sorted.lean<Ids>().exec()).map((each) => each._id);
  };
  const not = (but: readonly string[]): QueryFilter<ProofDocument> =>
    but.length === 0 ? {} : { _id: { $nin: [...but] } };
  const ofNobodyAt = (emailKeys: readonly string[]) => ({ accountId: null, emailKey: { $in: [...emailKeys] } });
  /** Whoever has an account may ask to change to an address that is nobody's yet. */
  const byOthers = ({ accountId, emailKeys, erasedAt }: ErasedAccount) => ({
    ...{ emailKey: { $in: [...emailKeys] }, kind: 'change-email' as const },
    ...{ accountId: { $nin: [null, accountId] }, createdAt: { $lte: erasedAt } },
  });
  return {
    ensureIndexes: () => model.createIndexes(),
    async idsOf(erased, limit) {
      const { accountId, emailKeys, erasedAt } = erased;
      const own = await idsIn({ accountId }, limit);
      if (own.length > 0 || emailKeys.length === 0) return own;
      const isOver = { $or: [{ status: { $ne: 'open' as const } }, { createdAt: { $lte: erasedAt } }] };
      const filter = { $or: [{ ...ofNobodyAt(emailKeys), ...isOver }, byOthers(erased)] };
      return idsIn(filter, limit);
    },
    askedByOthers: async (erased, after, limit) => {
      if (erased.emailKeys.length === 0) return [];
      const filter = { ...byOthers(erased), _id: { $gt: after } } as QueryFilter<ProofDocument>;
      const found = model.find(filter).select('_id accountId').sort({ _id: 1 }).limit(limit);
      return found.lean<ForeignLink[]>().exec();
    },
    liveIdsSince: async ({ emailKeys, erasedAt }) =>
      emailKeys.length === 0
        ? []
        : idsIn({ ...ofNobodyAt(emailKeys), status: 'open', createdAt: { $gt: erasedAt } }, mostLive),
    expiredIds: (now, limit) => idsIn({ status: 'open', expiresAt: { $lte: now } }, limit, 'expiresAt'),
    endedBefore: (time, limit, but = []) => idsIn({ endedAt: { $lt: time }, ...not(but) }, limit),
    endedOfNobodyBefore: (time, limit, but = []) =>
      idsIn({ accountId: null, status: 'withdrawn', endedAt: { $lt: time }, ...not(but) }, limit),
  };
}
