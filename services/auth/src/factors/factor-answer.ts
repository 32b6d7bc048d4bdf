import { z } from 'zod';

import type { FactorDocument } from './factor.model.ts';

/** A factor as its owner sees it: no secret, no code. */
export const factorAnswer = z.object({
  id: z.string().meta({ example: 'fac_06EXAMPLE4Y7S6W0ZQ3V5T1K2M' }),
  kind: z.string().meta({ description: '`totp`' }),
  name: z.string(),
  status: z.string().meta({ description: '`pending`, `active`' }),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().optional(),
});

/** @returns the factor as {@link factorAnswer} has it */
export const representFactor = ({ _id, kind, name, status, createdAt, lastUsedAt }: FactorDocument) => ({
  ...{ id: _id, kind, name, status, createdAt: createdAt.toISOString() },
  ...(lastUsedAt !== undefined && { lastUsedAt: lastUsedAt.toISOString() }),
});
