import type { Decision } from '@causeway/events';

import type { RecordDocument } from './record.model.ts';

/** A record as a change leaves it, but for what only its write knows. */
export const changed = (current: RecordDocument, { state }: Decision<RecordDocument>, at: Date): RecordDocument => {
  const { updatedBy: _earlier, sealed: _sealed, ...rest } = current;
  return { ...rest, ...state, revision: current.revision + 1, updatedAt: at };
};
