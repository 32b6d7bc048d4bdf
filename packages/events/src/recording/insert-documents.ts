import { MongoServerError, type ClientSession, type Collection, type Db, type OptionalUnlessRequiredId } from 'mongodb';

import { DuplicateKey, duplicateKeyCode, refusalsOnly, translate } from './errors.ts';
import { keysOfIndexes } from './keys-of-indexes.ts';
import type { RecordedDocument } from './recorded-document.ts';
import { together, type Outcome } from './together.ts';
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

  const made: Outcome<undefined> = { value: undefined };
  const soon = together<Doc, undefined>(async (documents) => {
    const [only] = documents;
    if (only === undefined || documents.length > 1)
      return (await many(documents)).map((error) => (error === undefined ? made : { error }));
    // A single one tells more of why it was refused.
    await insertOne(only);
    return [made];
  });

  return { many, one: (document, session) => (session === undefined ? soon(document) : insertOne(document, session)) };
};
