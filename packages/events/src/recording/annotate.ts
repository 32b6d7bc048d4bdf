import type { AnyBulkWriteOperation, Collection } from 'mongodb';

import type { RecordedDocument, StateOf } from './recorded-document.ts';

/** What follows from a document's state, such as what an index of the service's own is to hold. */
export interface Annotation<Doc extends RecordedDocument> {
  readonly id: string;
  /** Of the document that it follows from. */
  readonly revision: number;
  readonly set?: Partial<StateOf<Doc>>;
  readonly unset?: readonly (keyof StateOf<Doc> & string)[];
}

/** Makes `annotate` of one collection; see there. */
export const createAnnotate =
  <Doc extends RecordedDocument>(native: Collection<Doc>) =>
  async (annotations: readonly Annotation<Doc>[]): Promise<void> => {
    if (annotations.length === 0) return;
    const writes = annotations.map(({ id, revision, set, unset = [] }) => ({
      updateOne: {
        filter: { _id: id, revision },
        update: {
          ...(set === undefined ? {} : { $set: set }),
          ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset.map((key) => [key, ''])) }),
        },
      },
    }));
    // One that was written under an older definition stays as it is.
    const options = { ordered: false, bypassDocumentValidation: true } as const;
    await native.bulkWrite(writes as unknown as AnyBulkWriteOperation<Doc>[], options);
  };
