import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** Kinds are `totp`, `passkey`, `recovery-codes`; more may be added. `name` is what its owner calls it. */
const factor = {
  factorId: z.string(),
  accountId: z.string(),
  kind: z.string(),
  name: z.string().optional(),
  sessionId: z.string().optional(),
};

/** An account has a further factor. */
export const factorAdded = defineEvent({
  type: 'auth.factor.added',
  version: 1,
  thing: 'factor',
  description:
    'An account has a factor more: `status` is `pending` until its owner has shown that it works, `active` then. Secrets and codes are in no event.',
  data: { ...factor, status: z.string().optional() },
});

/** Somebody has proved who they are with a factor. */
export const factorUsed = defineEvent({
  type: 'auth.factor.used',
  version: 1,
  thing: 'factor',
  description:
    'Somebody has proved who they are with a factor; `remaining` is how many codes there are still, where it is one of codes.',
  data: { ...factor, remaining: z.number().int().optional() },
});

/** A factor was confirmed, named or made anew. */
export const factorUpdated = defineEvent({
  type: 'auth.factor.updated',
  version: 1,
  thing: 'factor',
  description:
    'A factor was confirmed, named or made anew, or a copy of it was used; `changed` names what, never a secret. `cameWith` is the factor with which recovery codes were made anew.',
  data: { ...factor, changed: z.array(z.string()).optional(), cameWith: z.string().optional() },
});

/** A factor opens nothing any more, and nothing is kept of it. */
export const factorRemoved = defineEvent({
  type: 'auth.factor.removed',
  version: 1,
  thing: 'factor',
  description:
    'A factor opens nothing any more, and nothing is kept of it: `reason` is `owner`, `not-confirmed`, `reset`, `undone`, or what else it went for.',
  data: { ...factor, reason: z.string().optional() },
});
