import { z } from 'zod';

import type { Account } from './account.model.ts';

/** An account in the answer to signing in. */
export const accountSummary = z.object({
  id: z.string().meta({ example: 'usr_06EXAMPLE4Y7S6W0ZQ3V5T1K2M' }),
  email: z.string(),
  emailVerified: z.boolean(),
  roles: z.array(z.string()).meta({ description: '`admin`, `member`' }),
});

/** An account as its owner reads it. */
export const accountRepresentation = accountSummary.extend({
  hasSecondFactor: z.boolean().meta({ description: 'Signing in takes two proofs: `GET /v1/auth/factors` lists them.' }),
  revision: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** @returns the account as {@link accountSummary} has it */
export const summarizeAccount = ({ _id, email, emailVerified, roles }: Account) => ({
  id: _id,
  email,
  emailVerified,
  roles: [...roles],
});

/** @returns the account as {@link accountRepresentation} has it */
export const representAccount = (account: Account) => ({
  ...summarizeAccount(account),
  hasSecondFactor: account.hasSecondFactor,
  revision: account.revision,
  createdAt: account.createdAt.toISOString(),
  updatedAt: account.updatedAt.toISOString(),
});
