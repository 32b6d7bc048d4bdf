import { Fault } from '@causeway/contracts';
import {
  MongoError,
  MongoNetworkError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';

/** MongoDB has not answered within a bound of ours: its connection hangs, or it waits for its majority. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * No member answers as it should: it is unreachable, goes down, or is no primary.
 * https://github.com/mongodb/specifications/blob/master/source/retryable-reads/retryable-reads.md
 */
export const awayCodes: ReadonlySet<unknown> = new Set([
  6, 7, 89, 91, 134, 189, 9001, 10107, 11600, 11602, 13435, 13436,
]);

/** Not `TransientTransactionError`: MongoDB says so of a write conflict too, which a handler may have with itself, for ever. */
const awayLabels = ['RetryableWriteError', 'UnknownTransactionCommitResult'];

/** MongoDB is away, or does not let anybody through now: no attempt of any handler can succeed, and none can be parked. */
export const isOutage = (error: unknown): boolean => {
  if (error instanceof Fault) return error.cause !== undefined && isOutage(error.cause);
  if (error instanceof NoAnswer) return true;
  if (!(error instanceof MongoError)) return false;
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoOperationTimeoutError ||
    error.name === 'MongoWaitQueueTimeoutError' ||
    (error instanceof MongoServerError && awayCodes.has(error.code)) ||
    awayLabels.some((label) => error.hasErrorLabel(label))
  );
};
