import type { accountCreated, Cause, EventOf } from '@causeway/contracts';
import type { Persons, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { ProfileDocument } from './profile.model.ts';
import { created } from './profiles.events.ts';

/** What {@link createProfile} is given. */
export interface CreateProfileDependencies {
  readonly profiles: Pick<RecordedCollection<ProfileDocument>, 'create' | 'native'>;
  readonly persons: Pick<Persons, 'enter'>;
}

const nameFrom = (email: string): string => email.slice(0, email.lastIndexOf('@'));

/**
 * Makes the profile of a new account. Who gave no name is called by what stands before the @ of their address. Of somebody who has been
 * erased none is made, however late the event comes, or however early: it may come after the erasure's.
 *
 * @param given - where to, and who is erased
 * @returns a handler: it takes the event, and the transaction that makes its effect happen once
 */
export const createProfile =
  ({ profiles, persons }: CreateProfileDependencies) =>
  async (
    { data: { accountId, email, name } }: EventOf<typeof accountCreated>,
    { session, cause }: { readonly session: ClientSession; readonly cause: Cause },
  ): Promise<void> => {
    if (!(await persons.enter(accountId, session))) return;
    // An account is created once, but a redrive may outlive the memory of what has been handled.
    const existing = await profiles.native.findOne({ _id: accountId }, { session, projection: { _id: 1 } });
    if (existing !== null) return;
    const state = { name: name ?? nameFrom(email), email, preferences: {} };
    await profiles.create(cause, { _id: accountId, state, event: created(accountId, state) }, { session });
  };
