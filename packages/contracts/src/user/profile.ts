import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

const profile = {
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  avatarUrl: z.string().optional(),
  bio: z.string().optional(),
  locale: z.string().optional(),
  timeZone: z.string().optional(),
  preferences: z.record(z.string(), z.unknown()),
};

/** A person's profile has come into being, from their account. */
export const profileCreated = defineEvent({
  type: 'user.profile.created',
  version: 1,
  thing: 'profile',
  description: "A person's profile has come into being, from their account.",
  data: profile,
});

/** A person has changed their profile; carries it whole. */
export const profileUpdated = defineEvent({
  type: 'user.profile.updated',
  version: 1,
  thing: 'profile',
  description: 'A person has changed their profile; carries it whole.',
  data: { ...profile, changed: z.array(z.string()) },
});

/** A person's profile is gone. */
export const profileDeleted = defineEvent({
  type: 'user.profile.deleted',
  version: 1,
  thing: 'profile',
  description: "A person's profile is gone; its owner is being erased.",
  data: { userId: z.string() },
});
