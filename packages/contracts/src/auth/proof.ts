import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** Kinds are `verify-email`, `sign-up`, `sign-in-link`, `reset-password`, `change-email`, `undo-email`, `undo-factor`, `unlock`; more may be added. */
const proof = { proofId: z.string(), kind: z.string() };

/** Somebody asks for a link by which they prove that an address is theirs. The link itself is in no event. */
export const proofRequested = defineEvent({
  type: 'auth.proof.requested',
  version: 1,
  thing: 'proof',
  description:
    'Somebody asks for a link by which they prove that an e-mail address is theirs. Whether anybody has the address is not known yet, and the link itself is in no event.',
  data: { ...proof, email: z.string(), accountId: z.string().optional(), expiresAt: z.iso.datetime() },
});

/** The address of a link is somebody's. */
export const proofMatched = defineEvent({
  type: 'auth.proof.matched',
  version: 1,
  thing: 'proof',
  description: 'The address that a link was asked for is that of an account: the link is mailed to its owner.',
  data: { ...proof, accountId: z.string() },
});

/** A link was used: once, for good. */
export const proofUsed = defineEvent({
  type: 'auth.proof.used',
  version: 1,
  thing: 'proof',
  description: 'A link was used, by whoever reads the mail of the address: once, for good.',
  data: { ...proof, accountId: z.string().optional() },
});

/** A link opens nothing any more, and was not used. */
export const proofWithdrawn = defineEvent({
  type: 'auth.proof.withdrawn',
  version: 1,
  thing: 'proof',
  description:
    'A link opens nothing any more, and was not used: `reason` is `expired`, `superseded`, `unknown-address`, or what else has made it needless.',
  data: { ...proof, reason: z.string() },
});

/** Nothing is kept of a link any more. */
export const proofDeleted = defineEvent({
  type: 'auth.proof.deleted',
  version: 1,
  thing: 'proof',
  description:
    'Nothing is kept of a link any more: it has been over for a month (a day, where nobody has the address), or whose it was is being erased.',
  data: { proofId: z.string() },
});
