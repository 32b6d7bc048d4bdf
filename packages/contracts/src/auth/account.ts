import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** Roles of an account. */
export const accountRole = z.enum(['admin', 'member']);

/** A person has an account. Sent once for each account. */
export const accountCreated = defineEvent({
  type: 'auth.account.created',
  version: 1,
  thing: 'account',
  description: 'A person has an account.',
  data: {
    accountId: z.string(),
    email: z.string(),
    emailVerified: z.boolean(),
    name: z.string().optional(),
    roles: z.array(accountRole),
  },
});

/**
 * Roles or credentials of an account have changed. `changed`: `email`, `emailVerified`, `roles`, `password`, `passwordParameters`, `factors`,
 * `disabled`, `sessions` (an administrator has ended them all). Access tokens of a lower version than `accessVersion` are refused from now on, and sessions that were begun under a lower one
 * than `sessionsFrom` are over. `by` is the administrator who did it, `reason` why they did.
 */
export const accountUpdated = defineEvent({
  type: 'auth.account.updated',
  version: 1,
  thing: 'account',
  description: 'The roles or credentials of an account have changed; `changed` names what, never a secret.',
  data: {
    accountId: z.string(),
    email: z.string(),
    emailVerified: z.boolean(),
    roles: z.array(accountRole),
    changed: z.array(z.string()),
    accessVersion: z.number().int().optional(),
    sessionsFrom: z.number().int().optional(),
    previousEmail: z.string().optional(),
    disabled: z.boolean().optional(),
    reason: z.string().optional(),
    by: z.string().optional(),
  },
});

/** An account is gone. */
export const accountDeleted = defineEvent({
  type: 'auth.account.deleted',
  version: 1,
  thing: 'account',
  description: 'An account is gone; its owner is being erased.',
  data: { accountId: z.string() },
});
