import type { accountUpdated, Cause, EventOf } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { ProfileDocument } from './profile.model.ts';
import { updated } from './profiles.events.ts';

/**
 * Has a profile follow its account to another e-mail address. It is handled in the order of the account's events, behind the one that makes
 * the profile; where there is none, its owner is erased.
 *
 * @param given - where to
 * @returns a handler: it takes the event, and the transaction that makes its effect happen once
 */
export const followEmail =
  ({ profiles }: { readonly profiles: Pick<RecordedCollection<ProfileDocument>, 'update'> }) =>
  async (
    { data: { accountId, changed, email } }: EventOf<typeof accountUpdated>,
    { session, cause }: { readonly session: ClientSession; readonly cause: Cause },
  ): Promise<void> => {
    if (!changed.includes('email')) return;
    await profiles.update(
      cause,
      accountId,
      (current) => {
        if (current.email === email) return undefined;
        const state = { ...stateOf(current), email };
        return { state, event: updated(accountId, state, ['email']) };
      },
      { session },
    );
  };
