import { MongoBulkWriteError, MongoServerError, type Document } from 'mongodb';

/** MongoDB's code for a violated unique index. */
export const duplicateKeyCode = 11000;

/** A write would violate a unique index. The service that knows what the index means turns it into its own fault. */
export class DuplicateKey extends Error {
  override readonly name = 'DuplicateKey';
  /** The index's keys, such as `{ email: 1 }`. */
  readonly keyPattern: Document;
  readonly #keyValue: Document;

  constructor(keyPattern: Document, keyValue: Document) {
    // Without MongoDB's own error as its cause: its message quotes the values.
    super(`a unique index over ${Object.keys(keyPattern).join(', ')} holds these values already`);
    this.keyPattern = keyPattern;
    this.#keyValue = keyValue;
  }

  /** The values that are taken. May be private: for decisions, not for answers or logs. */
  get keyValue(): Document {
    return this.#keyValue;
  }
}

/** The caller named revisions, and the document has another one by now. */
export class RevisionMismatch extends Error {
  override readonly name = 'RevisionMismatch';
  /** The document's revision when it was read. */
  readonly current: number;

  constructor(current: number) {
    super(`the document is at revision ${current}`);
    this.current = current;
  }
}

/** MongoDB refused one of many writes of a transaction, and with it all of them. */
export class RefusedWrite extends Error {
  override readonly name = 'RefusedWrite';
  /** Of the write within those that were given. */
  readonly index: number;

  /** @param cause - {@link DuplicateKey}, or MongoDB's own error */
  constructor(index: number, cause: Error) {
    super(`the write at ${index} was refused`, { cause });
    this.index = index;
  }
}

/** Whether MongoDB refused a write because of a unique index. */
export const isDuplicateKey = (error: unknown): error is MongoServerError =>
  error instanceof MongoServerError && error.code === duplicateKeyCode;

/** A unique index's refusal as {@link DuplicateKey}; anything else as it is. */
export const translate = (error: unknown): unknown =>
  isDuplicateKey(error)
    ? new DuplicateKey((error.keyPattern ?? {}) as Document, (error.keyValue ?? {}) as Document)
    : error;

/** One write of a bulk that MongoDB refused. */
export interface Refusal {
  /** Of the write within the bulk. */
  readonly index: number;
  readonly code: number;
  /** The name of the unique index, where that is why. */
  readonly uniqueIndex: string | undefined;
  /** MongoDB's own: it may quote values. */
  readonly message: string;
}

interface WriteErrorLike {
  readonly index: number;
  readonly code: number;
  readonly errmsg?: string;
}

/** Of a bulk the driver passes on neither keys nor values; MongoDB's text names the index. */
const indexInText = / index: (\S+) dup key: /;

/** The writes of a bulk that MongoDB refused. */
export const refusals = (error: MongoBulkWriteError): Refusal[] => {
  // The driver gives one, or a list of them.
  const each = [error.writeErrors].flat() as unknown as WriteErrorLike[];
  return each.map((one) => ({
    index: one.index,
    code: one.code,
    uniqueIndex: one.code === duplicateKeyCode ? indexInText.exec(one.errmsg ?? '')?.[1] : undefined,
    message: one.errmsg ?? 'a write of a bulk was refused',
  }));
};

/**
 * The refusals of a bulk, where they alone say what was written and what was not. The driver wraps every other error of a
 * bulk too (no server, no connection, not known to a majority), with an empty list of refusals.
 *
 * @returns undefined where the outcome of any write is open
 */
export const refusalsOnly = (error: unknown): Refusal[] | undefined => {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  const refused = refusals(error);
  return refused.length === 0 || error.result.getWriteConcernError() !== undefined ? undefined : refused;
};
