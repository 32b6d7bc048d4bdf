import { etag } from '@causeway/service';
import { z } from 'zod';

import type { Profile } from './profile.model.ts';

/** What everybody who is signed in sees of a person. */
export const publicProfile = z.object({ id: z.string(), name: z.string(), avatarUrl: z.string().optional() });

/** What a person sees of themselves. */
export const ownProfile = publicProfile.extend({
  email: z.string(),
  bio: z.string().optional(),
  locale: z.string().optional().meta({ description: 'A BCP 47 language tag.' }),
  timeZone: z.string().optional().meta({ description: 'An IANA time zone.' }),
  preferences: z.record(z.string(), z.unknown()),
  revision: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** @returns the profile as {@link publicProfile} has it */
export const representPublic = ({ _id, name, avatarUrl }: Profile) => ({ id: _id, name, avatarUrl });

/** @returns the profile as {@link ownProfile} has it */
export const representOwn = ({ _id, createdAt, updatedAt, ...rest }: Profile) => ({
  id: _id,
  name: rest.name,
  email: rest.email,
  avatarUrl: rest.avatarUrl,
  bio: rest.bio,
  locale: rest.locale,
  timeZone: rest.timeZone,
  preferences: rest.preferences,
  revision: rest.revision,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});

/** Headers of a person's own profile: theirs alone, and never older than it is. */
export const ownHeaders = ({ revision }: Pick<Profile, 'revision'>) => ({
  ETag: etag(revision),
  'Cache-Control': 'private, no-cache',
});
