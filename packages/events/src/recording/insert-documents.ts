import { MongoServerError, type ClientSession, type Collection, type Db, type OptionalUnlessRequiredId } from 'mongodb';

import { DuplicateKey, duplicateKeyCode, refusalsOnly, translate } from './errors.ts';
import { keysOfIndexes } from './keys-of-indexes.ts';
import type { RecordedDocument } from './recorded-document.ts';
import { isUnknownOutcome, settleCreate } from './unknown-outcome.ts';

/** Inserts new documents of one collection. */
export interface Inserter<Doc extends RecordedDocument> {
  /**
   * Inserts one; outside a transaction together with others that come while an insert is under way.
   *
   * @throws {@link DuplicateKey}; `unavailable` where nobody can tell whether it was made
   */
  one(document: Doc, session?: ClientSession): Promise<void>;
  /**
   * Inserts documents by one unordered insert: each stands or falls by itself.
   *
   * @returns for each, why it was not made; undefined where it was
   */
  many(documents: readonly Doc[], session?: ClientSession): Promise<readonly unknown[]>;
}

/** So many single inserts go together at most. */
const mostTogether = 100;
/** While one insert waits for a majority, another one may be on its way. */
const mostAtOnce = 2;

/** Makes the inserter of a collection. */
export const createInserter = <Doc extends RecordedDocument>(native: Collection<Doc>, db: Db): Inserter<Doc> => {
  const insertable = (document: Doc): OptionalUnlessRequiredId<Doc> => document as OptionalUnlessRequiredId<Doc>;

  const insertOne = async (document: Doc, session?: ClientSession): Promise<void> => {
    try {
      await native.insertOne(insertable(document), session === undefined ? {} : { session });
    } catch (error) {
      if (session !== undefined || !isUnknownOutcome(error)) throw translate(error);
      await settleCreate(native, db, document, error);
    }
  };

  const many: Inserter<Doc>['many'] = async (documents, session) => {
    const errors: unknown[] = documents.map(() => undefined);
    try {
      await native.insertMany(documents.map(insertable), {
        ordered: false,
        ...(session === undefined ? {} : { session }),
      });
    } catch (error) {
      if (session !== undefined) throw translate(error);
      const refused = refusalsOnly(error);
      if (refused === undefined) {
        // Nobody said which of them were written: each is looked for.
        for (const [index, document] of documents.entries()) {
          errors[index] = await settleCreate(native, db, document, error).then(
            () => undefined,
            (unsettled: unknown) => unsettled,
          );
        }
      }
      const keysOf = await keysOfIndexes(native, refused ?? []);
      for (const { index, code, uniqueIndex = '', message } of refused ?? []) {
        const isDuplicate = code === duplicateKeyCode;
        errors[index] = isDuplicate
          ? new DuplicateKey(keysOf.get(uniqueIndex) ?? {}, {})
          : new MongoServerError({ message, code });
      }
    }
    return errors;
  };

  const soon = together<Doc>(async (documents) => {
    const [only] = documents;
    if (only === undefined || documents.length > 1) return many(documents);
    // A single one tells more of why it was refused.
    return insertOne(only).then(
      () => [undefined],
      (error: unknown) => [error],
    );
  });

  return { many, one: (document, session) => (session === undefined ? soon(document) : insertOne(document, session)) };
};

interface Waiting<Item> {
  readonly item: Item;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Gathers items that come while others are under way, so that a server that is busy gets fewer, larger calls, and one that
 * is not is called at once.
 *
 * @param run - gives for each item its error, or undefined
 */
const together = <Item>(
  run: (items: readonly Item[]) => Promise<readonly unknown[]>,
): ((item: Item) => Promise<void>) => {
  let waiting: Waiting<Item>[] = [];
  let running = 0;
  let scheduled = false;

  const runBatch = async (batch: readonly Waiting<Item>[]): Promise<void> => {
    try {
      const errors = await run(batch.map(({ item }) => item));
      for (const [index, { done, failed }] of batch.entries()) {
        if (errors[index] === undefined) done();
        else failed(errors[index]);
      }
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  };

  const next = (): void => {
    scheduled = false;
    while (running < mostAtOnce && waiting.length > 0) {
      const batch = waiting.slice(0, mostTogether);
      waiting = waiting.slice(mostTogether);
      running += 1;
      void runBatch(batch).finally(() => {
        running -= 1;
        next();
      });
    }
  };

  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed });
      if (scheduled || running >= mostAtOnce) return;
      // Those that came with the same reading of sockets go along.
      scheduled = true;
      setImmediate(next);
    });
};
