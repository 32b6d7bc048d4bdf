import { accountDeleted, accountUpdated, sessionEnded } from '@causeway/contracts';
import { everyVersion } from '@causeway/service';
import type { Ending } from '@causeway/service';

import { revokedUntil } from '../sessions/end-session.ts';

/** A committed change, as far as it may end tokens. */
export interface CommittedChange {
  readonly id: string;
  readonly event: { readonly type: string; readonly time: string; readonly data?: unknown } | undefined;
}

const later = (a: Date, b: Date): Date => (a > b ? a : b);

/**
 * Which tokens a change has ended. Until when is counted from when it was heard of, where that is later than what the change says: whoever
 * wrote it may have stood still before it was committed, and tokens were made until then.
 *
 * @param heardAt - when the change was seen
 * @returns undefined where no token has ended
 */
export function endingOf({ id, event }: CommittedChange, heardAt: Date): Ending | undefined {
  if (event === undefined) return undefined;
  const untilMs = revokedUntil(later(new Date(event.time), heardAt)).getTime();
  switch (event.type) {
    case sessionEnded.type:
      return { sid: id, untilMs };
    case accountDeleted.type:
      return { sub: id, below: everyVersion, untilMs };
    case accountUpdated.type: {
      const { accessVersion } = event.data as { readonly accessVersion?: number };
      return accessVersion === undefined ? undefined : { sub: id, below: accessVersion, untilMs };
    }
    default:
      return undefined;
  }
}
