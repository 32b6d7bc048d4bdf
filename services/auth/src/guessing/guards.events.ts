import { guardCleared, guardDeleted, guardFailed, guardLocked } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { ClearedBy } from './guess-journal.ts';

/** Wrong guesses that came in within some seconds. */
export interface Failures {
  readonly count: number;
  readonly paths: readonly string[];
  readonly addresses: readonly string[];
  /** How many e-mail addresses were tried. */
  readonly emails: number;
  readonly from: Date;
  readonly to: Date;
}

/** @param accountId - undefined where nobody has the address */
export const failed = (
  accountId: string | undefined,
  { count, paths, addresses, emails, from, to }: Failures,
): EventDraft =>
  draft(guardFailed, {
    // Of one account it is one. Which they were is told to nobody: they may be anybody's.
    ...(accountId === undefined ? { emails } : { accountId }),
    ...{ count, paths: [...paths], addresses: [...addresses] },
    ...{ from: from.toISOString(), to: to.toISOString() },
  });

/** Devices that the account does not know are not listened to any more. */
export const locked = (accountId: string): EventDraft => draft(guardLocked, { accountId });

/** They are again. */
export const cleared = (accountId: string, by: ClearedBy): EventDraft => draft(guardCleared, { accountId, by });

/** Nothing is kept of it. */
export const deleted = (accountId: string): EventDraft => draft(guardDeleted, { accountId });
