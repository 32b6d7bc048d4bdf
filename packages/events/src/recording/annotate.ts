import type { AnyBulkWriteOperation, Collection } from 'mongodb';

import type { RecordedDocument, StateOf } from './recorded-document.ts';

/** What follows from a document's state, such as what an index of the service's own is to hold. */
export interface Annotation<Doc extends RecordedDocument> {
  readonly id: string;
  /** Of the document that it follows from. */
  readonly revision: number;
  /** What it has to hold still as well, by dotted paths: where others annotate it too. */
  readonly given?: Readonly<Record<string, unknown>>;
  readonly set?: Partial<StateOf<Doc>>;
  readonly unset?: readonly (keyof StateOf<Doc> & string)[];
}

/** Makes `annotate` of one collection; see there. */
export const createAnnotate =
  <Doc extends RecordedDocument>(native: Collection<Doc>) =>
  async (annotations: readonly Annotation<Doc>[]): Promise<void> => {
    if (annotations.length === 0) return;
    const writes = annotations.map(({ id, revision, given, set, unset = [] }) => ({
      updateOne: {
        filter: { ...given, _id: id, revision },
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
