import { profileCreated, profileDeleted, profileUpdated } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { ProfileState } from './profile-patch.ts';

/** A profile has come into being. */
export const created = (userId: string, profile: ProfileState): EventDraft =>
  draft(profileCreated, { userId, ...profile });

/** @param changed - names of the fields that are not what they were */
export const updated = (userId: string, profile: ProfileState, changed: readonly string[]): EventDraft =>
  draft(profileUpdated, { userId, ...profile, changed: [...changed] });

/** A profile is gone, with the person whose it was. */
export const deleted = (userId: string): EventDraft => draft(profileDeleted, { userId });
