import type { EventEnvelope } from '@causeway/contracts';
import type { Filter, MatchKeysAndValues, UpdateFilter } from 'mongodb';

import { limits } from './limits.ts';
import { recordedKeys, type RecordedDocument, type StateOf } from './recorded-document.ts';

/** One compare-and-set, and the document as it leaves it. */
export interface CompareAndSet<Doc extends RecordedDocument> {
  readonly filter: Filter<Doc>;
  readonly update: UpdateFilter<Doc>;
  /** Its outbox may be shorter by now, where the relay has pulled something since `current` was read. */
  readonly document: Doc;
}

/**
 * Makes the write that takes a document from one revision to the next, together with its event; it matches nothing where the
 * document has moved on, or where its outbox is full.
 *
 * @param current - as it was read
 * @param state - the whole new state: what is not in it goes
 * @param event - of this write
 * @param at - when
 */
export const compareAndSet = <Doc extends RecordedDocument>(
  current: Doc,
  state: StateOf<Doc>,
  event: EventEnvelope,
  at: Date,
): CompareAndSet<Doc> => {
  const gone = Object.keys(current).filter((key) => !recordedKeys.has(key) && !(key in state));
  const set = { ...state, revision: current.revision + 1, event: event.id, updatedAt: at };
  const document = { ...current, ...set, outbox: [...current.outbox, event] };
  for (const key of gone) Reflect.deleteProperty(document, key);
  return {
    filter: {
      _id: current._id,
      revision: current.revision,
      [`outbox.${limits.outboxEvents - 1}`]: { $exists: false },
    } as unknown as Filter<Doc>,
    update: {
      $set: set as MatchKeysAndValues<Doc>,
      ...(gone.length === 0 ? {} : { $unset: Object.fromEntries(gone.map((key) => [key, ''])) }),
      $push: { outbox: event },
    } as unknown as UpdateFilter<Doc>,
    document,
  };
};
