import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** Where a chain of the audit stands: whoever keeps this event notices a chain that is cut off before. */
export const auditSealed = defineEvent({
  type: 'auth.audit.sealed',
  version: 1,
  thing: 'audit',
  description:
    'Where a chain of the audit stands: an entry and its hash. Whoever keeps this event notices a chain that is cut off or made anew before it.',
  data: { chain: z.number().int(), seq: z.number().int(), hash: z.string(), at: z.iso.datetime() },
});

/** An administrator has read what others have done or were sent. */
export const auditRead = defineEvent({
  type: 'auth.audit.read',
  version: 1,
  thing: 'reading',
  description:
    'An administrator, who is the actor, has read what others have done or were sent: `what` is `audit`, `export`, `mailbox` or `mail`; `about` is the id that they asked for.',
  data: { what: z.string(), about: z.string().optional() },
});
