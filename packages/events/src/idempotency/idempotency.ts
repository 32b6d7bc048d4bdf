import { MongoServerError } from 'mongodb';
import type { Binary, ClientSession, Collection, Db } from 'mongodb';

import { sealRequest } from './answer-seal.ts';
import type { IdempotentRequest, SealedRequest } from './answer-seal.ts';
import { idempotencyKeyInUse, idempotencyKeyReused } from './idempotency.errors.ts';

/** Calls that may be repeated without repeating their effect. */
export interface Idempotency {
  /** Makes the index that removes rows after their time. Call it at start. */
  ensureIndexes(): Promise<void>;
  /**
   * The answer of an earlier call, so that a repeated one need not prepare anything that is costly.
   *
   * @returns undefined where there is none
   * @throws fault `idempotency-key-reused` where the earlier call had another body
   */
  find<Answer>(request: IdempotentRequest): Promise<Answer | undefined>;
  /** Whether an earlier call with this key was answered, whatever its body: for who knows the body only in the end. */
  has(request: Omit<IdempotentRequest, 'body'>): Promise<boolean>;
  /**
   * Runs an effect once for its key. The answer is stored in the transaction of the effect: both are there, or neither.
   * An effect that throws leaves nothing behind, so that the same key may try again.
   *
   * @param request - the call
   * @param effect - writes with the given session only; may run more than once (transient errors), takes effect once. Its
   *   answer must be JSON.
   * @returns the answer, this call's or the first one's
   * @throws fault `idempotency-key-reused` (422), `idempotency-key-in-use` (409), and what the effect throws
   */
  run<Answer>(
    request: IdempotentRequest,
    effect: (session: ClientSession) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly replayed: boolean }>;
}

/** What {@link createIdempotency} is given. */
export interface IdempotencyOptions {
  readonly db: Db;
  /** Runs its body in a transaction, anew on transient errors, and passes on what the body throws. */
  readonly transaction: <T>(body: (session: ClientSession) => Promise<T>) => Promise<T>;
  /** At least 32 bytes, the same in every replica. */
  readonly secret: Uint8Array;
  /** How long an answer is kept. Default 24 h. */
  readonly retentionMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface Row {
  readonly _id: string;
  readonly bodyHash: string;
  readonly expiresAt: Date;
  /** Absent only inside the transaction that claims it. */
  readonly answer?: Binary;
}

const collectionName = 'idempotency';
const dayMs = 24 * 60 * 60 * 1000;

/** Somebody else has, or is about to have, the row. Leaves the transaction; never the module. */
class Claimed extends Error {
  override readonly name = 'Claimed';
}

/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) for writes that happen in MongoDB.
 *
 * The rows carry no events, so that a TTL index may remove them.
 */
export function createIdempotency(options: IdempotencyOptions): Idempotency {
  const { db, transaction, secret, retentionMs = dayMs, now = Date.now } = options;
  if (secret.byteLength < 32) throw new Error('the secret of the idempotency rows needs at least 32 bytes');
  const rows = db.collection<Row>(collectionName, { readConcern: { level: 'majority' } });

  const find = async <Answer>(sealed: SealedRequest): Promise<Answer | undefined> => {
    const row = await rows.findOne({ _id: sealed.id, expiresAt: { $gt: new Date(now()) } });
    if (row?.answer === undefined) return undefined;
    if (row.bodyHash !== sealed.bodyHash) throw idempotencyKeyReused();
    return sealed.open(Buffer.from(row.answer.buffer)) as Answer;
  };

  return {
    async ensureIndexes() {
      await rows.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 }, {});
    },
    find: (request) => find(sealRequest(secret, request)),
    async has(request) {
      const { id } = sealRequest(secret, { ...request, body: null });
      const row = await rows.findOne({ _id: id, expiresAt: { $gt: new Date(now()) } }, { projection: { answer: 1 } });
      return row?.answer !== undefined;
    },
    async run<Answer>(request: IdempotentRequest, effect: (session: ClientSession) => Promise<Answer>) {
      const sealed = sealRequest(secret, request);
      const earlier = await find<Answer>(sealed);
      if (earlier !== undefined) return { answer: earlier, replayed: true };
      try {
        const answer = await transaction(async (session) => {
          await claim(rows, session, sealed, new Date(now()), retentionMs);
          const made = await effect(session);
          await rows.updateOne({ _id: sealed.id }, { $set: { answer: sealed.seal(made) as never } }, { session });
          return made;
        });
        return { answer, replayed: false };
      } catch (error) {
        if (!(error instanceof Claimed)) throw error;
        const answer = await find<Answer>(sealed);
        if (answer === undefined) throw idempotencyKeyInUse({ retryAfterS: 1, cause: error });
        return { answer, replayed: true };
      }
    },
  };
}

/** The first statement of the transaction: takes the row, new or expired. The write lock lasts until the commit. */
async function claim(
  rows: Collection<Row>,
  session: ClientSession,
  sealed: SealedRequest,
  now: Date,
  retentionMs: number,
): Promise<void> {
  try {
    await rows.updateOne(
      { _id: sealed.id, expiresAt: { $lte: now } },
      {
        $set: { bodyHash: sealed.bodyHash, expiresAt: new Date(now.getTime() + retentionMs) },
        $unset: { answer: true },
      },
      { session, upsert: true },
    );
  } catch (error) {
    if (isTaken(error)) throw new Claimed('the row of this Idempotency-Key is taken', { cause: error });
    throw error;
  }
}

/** 11000: there, committed. 112 (WriteConflict): another transaction holds it, or has committed since our snapshot. */
const isTaken = (error: unknown): boolean =>
  error instanceof MongoServerError && (error.code === 11000 || error.code === 112);
