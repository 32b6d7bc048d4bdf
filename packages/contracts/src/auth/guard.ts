import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** Somebody has guessed: what came in within some seconds, in one event. */
export const guardFailed = defineEvent({
  type: 'auth.guard.failed',
  version: 1,
  thing: 'guard',
  description:
    'Somebody did not prove who they are: all that came in within some seconds, in one event. Without `accountId` they named no account that there is, and `emails` says how many e-mail addresses they tried. At most ten `addresses` are named; `paths` are such as `password`, `totp`, `recovery-code`, `passkey`.',
  data: {
    accountId: z.string().optional(),
    count: z.number().int(),
    paths: z.array(z.string()),
    addresses: z.array(z.string()),
    emails: z.number().int().optional(),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
  },
});

/** An account takes no more guesses from devices that it does not know. */
export const guardLocked = defineEvent({
  type: 'auth.guard.locked',
  version: 1,
  thing: 'guard',
  description:
    'Too many guesses in a row: nothing more is tried for an account from devices that it does not know, until its owner clears it from one that it does know, or by a link.',
  data: { accountId: z.string() },
});

/** An account takes guesses again. */
export const guardCleared = defineEvent({
  type: 'auth.guard.cleared',
  version: 1,
  thing: 'guard',
  description: 'What was guessed for an account counts no more: `by` is `known-device`, `mailed-link` or `sign-in`.',
  data: { accountId: z.string(), by: z.string() },
});

/** Nothing is kept any more of what was guessed for an account. */
export const guardDeleted = defineEvent({
  type: 'auth.guard.deleted',
  version: 1,
  thing: 'guard',
  description: 'Nothing is kept any more of what was guessed for an account: whose it was is being erased.',
  data: { accountId: z.string() },
});
