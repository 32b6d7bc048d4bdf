import { faults } from '@causeway/contracts';
import type { Fault } from '@causeway/contracts';
import {
  MongoError,
  MongoNetworkError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoSystemError,
} from 'mongodb';

import { RevisionMismatch } from './errors.ts';
import { Contended, OutOfTime } from './out-of-time.ts';
import { awayCodes, NoAnswer } from './outage.ts';

/** What the driver says where the database cannot be reached, has no primary, or has no connection left. */
const away = [MongoNetworkError, MongoServerSelectionError, MongoSystemError, MongoOperationTimeoutError] as const;

/** What a transaction says that has met its bound. */
const late = [OutOfTime, Contended, NoAnswer] as const;

/**
 * The fault that an error of the database amounts to, for whoever answers a caller.
 *
 * @param error - anything that was thrown
 * @returns `precondition-failed`, `unavailable`, or undefined where it is something else
 */
export const faultOfError = (error: unknown): Fault | undefined => {
  if (error instanceof RevisionMismatch) return faults.preconditionFailed({ cause: error });
  const isAway =
    [...away, ...late].some((kind) => error instanceof kind) ||
    (error instanceof MongoError &&
      (error.name === 'MongoWaitQueueTimeoutError' ||
        error.hasErrorLabel('RetryableWriteError') ||
        (error instanceof MongoServerError && awayCodes.has(error.code))));
  return isAway ? faults.unavailable({ retryAfterS: 1, cause: error }) : undefined;
};
