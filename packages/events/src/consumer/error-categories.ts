import { ContractViolation, Fault, faultCategories } from '@causeway/contracts';
import { BSON, MongoInvalidArgumentError, MongoServerError } from 'mongodb';

import { MalformedEvent } from '../envelope/binary-mode.ts';
import { translate } from '../recording/errors.ts';
import type { HandlingError } from './inbox.ts';

/**
 * The statement or the document itself is refused, whatever else is in the database: BadValue, FailedToParse, names of fields (52, 56,
 * 57), DocumentValidationFailure, and documents over 16 MiB (10334, 17419, 17420).
 * https://www.mongodb.com/docs/manual/reference/error-codes/
 */
const refusedCodes: ReadonlySet<unknown> = new Set([2, 9, 52, 56, 57, 121, 10334, 17419, 17420]);

/** What the driver cannot send at all; a document over its 17 MiB buffer is a `RangeError`. */
const cannotBeSent = (error: unknown): boolean =>
  error instanceof BSON.BSONError ||
  error instanceof MongoInvalidArgumentError ||
  (error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE');

/**
 * Trying again cannot help: the event or the handler would have to change. An error that nobody has given a category is tried again, a
 * `TypeError` too: `fetch` throws it where nobody answers, and waiting costs only the event's own subject.
 */
export const isPoison = (error: unknown): boolean => {
  if (error instanceof ContractViolation || error instanceof MalformedEvent) return true;
  if (error instanceof Fault) return !faultCategories[error.category].transient;
  return cannotBeSent(error) || (error instanceof MongoServerError && refusedCodes.has(error.code));
};

/** An error as it may be kept and shown to administrators. */
export const toHandlingError = (thrown: unknown): HandlingError => {
  // MongoDB's own words about a unique index quote the values.
  const error = translate(thrown);
  if (!(error instanceof Error)) return { name: 'Error', message: 'a handler threw something that is no error' };
  const message = error.message.slice(0, 500);
  return { name: error.name, message, ...(error instanceof Fault ? { category: error.category } : {}) };
};
