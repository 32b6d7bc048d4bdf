import type { RecordedCollection, RemovalStep } from '@causeway/events';

import type { ProfileDocument } from './profile.model.ts';
import { deleted } from './profiles.events.ts';

/** @returns the step of an erasure that takes somebody's profile away */
export const removeProfile = (profiles: () => Pick<RecordedCollection<ProfileDocument>, 'delete'>): RemovalStep => ({
  name: 'remove-profile',
  async run({ personId, cause }) {
    const write = await profiles().delete(cause, personId, () => deleted(personId));
    return { counts: { profiles: write === undefined ? 0 : 1 } };
  },
});
