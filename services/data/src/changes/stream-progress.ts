import type { Change, CommitStream } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import type { ChangeHistory } from './change-history.ts';
import { justBefore } from './gather-transactions.ts';
import type { Place } from './place.ts';
import type { RecordChange } from './record-change.ts';
import { toRecordChange } from './record-change.ts';

/** How far a process has come in the order of commits. */
export interface StreamProgress {
  /** Notes a change that the stream brings, and remembers it. @returns it, where it is one of a record */
  note(raw: Change): RecordChange | undefined;
  /** Changes may have been missed: what was before is forgotten, and a position of its own has to follow. */
  miss(): void;
  /** The end of what has been brought; undefined while it is not known. */
  place(): Place | undefined;
  /** Whether everything up to a place has been brought. */
  hasReached(place: Place): boolean;
}

/**
 * Follows the progress of a commit stream.
 *
 * @param stream - whose position counts
 * @param history - begins anew wherever the progress does
 */
export function followProgress(stream: Pick<CommitStream, 'position'>, history: ChangeHistory): StreamProgress {
  /** The last change of any document. */
  let last: Place | undefined;
  /** Where the stream stood when changes were missed. */
  let missedAt: Timestamp | undefined;
  let hasBegun = false;

  const begin = (position: Timestamp): void => {
    hasBegun = true;
    history.reset(position);
  };

  return {
    note(raw) {
      const { clusterTime, event, transaction } = raw;
      missedAt = undefined;
      // Everything from this change on is seen.
      if (!hasBegun) begin(justBefore(clusterTime));
      last = { position: clusterTime, eventId: transaction === undefined ? undefined : event?.id };
      const change = toRecordChange(raw);
      if (change !== undefined) history.add(change);
      return change;
    },
    miss() {
      missedAt = stream.position;
      hasBegun = false;
      last = undefined;
      history.reset(undefined);
    },
    place() {
      const { position } = stream;
      if (position === undefined || missedAt?.equals(position) === true) return undefined;
      missedAt = undefined;
      if (!hasBegun) begin(position);
      return last !== undefined && !position.greaterThan(last.position) ? last : { position, eventId: undefined };
    },
    hasReached({ position, eventId }) {
      const own = stream.position;
      if (own === undefined || own.lessThan(position)) return false;
      if (own.greaterThan(position)) return true;
      if (eventId !== undefined) return last?.eventId === eventId;
      // Of a transaction more may be to come at the same position.
      return last?.eventId === undefined || !last.position.equals(position);
    },
  };
}
