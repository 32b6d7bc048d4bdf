import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** A key that access tokens are signed with has taken its next step. */
export const keyringChanged = defineEvent({
  type: 'auth.keyring.changed',
  version: 1,
  thing: 'keyring',
  description:
    'A key that access tokens are signed with has taken its next step: `change` is `published`, `activated`, `retired`, `removed`, or `resealed` under another master key. No key is in an event.',
  data: { kid: z.string(), change: z.string() },
});
