import { z } from 'zod';

import type { FactorDocument } from './factor.model.ts';

/** A factor as its owner sees it: no secret, no code. */
export const factorAnswer = z.object({
  id: z.string().meta({ example: 'fac_06EXAMPLE4Y7S6W0ZQ3V5T1K2M' }),
  kind: z.string().meta({ description: '`totp`, `passkey`, `recovery-codes`' }),
  name: z.string(),
  status: z.string().meta({ description: '`pending`, `active`' }),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().optional(),
  suspectedAt: z.iso.datetime().optional().meta({
    description: 'When a passkey has counted backwards: somebody may have a copy of it. Remove it.',
  }),
  remaining: z.int().optional().meta({ description: 'Recovery codes that have not been used.' }),
});

/** Recovery codes, the one time that they are told. */
export const recoveryCodesAnswer = z.object({
  codes: z.array(z.string()).meta({
    description: 'Each signs in once in place of the second factor. To be printed, or kept where passwords are.',
  }),
});

/** Recovery codes that come with a second factor. */
export const recoveryCodesOfFirst = recoveryCodesAnswer.shape.codes.optional().meta({
  description:
    'With the first second factor, and where all are used: each signs in once in its place. Told this once. Absent where there are some: they stay good.',
});

/** The device token that comes with the first second factor. */
export const deviceTokenOfFirst = z.string().optional().meta({
  description:
    'With the first second factor of an account whose address is verified, in place of the one that there is: who has it is not locked out when others guess, even where they read the mail. Browsers get it in a cookie.',
});

/** @returns the factor as {@link factorAnswer} has it */
export const representFactor = ({
  _id,
  kind,
  name,
  status,
  createdAt,
  lastUsedAt,
  suspectedAt,
  codes,
}: FactorDocument) => ({
  ...{ id: _id, kind, name, status, createdAt: createdAt.toISOString() },
  ...(lastUsedAt !== undefined && { lastUsedAt: lastUsedAt.toISOString() }),
  ...(suspectedAt !== undefined && { suspectedAt: suspectedAt.toISOString() }),
  ...(codes !== undefined && { remaining: codes.filter(({ usedAt }) => usedAt === undefined).length }),
});
