import { z } from 'zod';

import { accountRepresentation, representAccount } from '../account-answer.ts';
import type { Account, AccountDocument } from '../account.model.ts';

/** An account as administrators work with it. */
export type AdministeredAccount = Account & Pick<AccountDocument, 'disabledBy'>;

/** An account as administrators read it. */
export const administeredRepresentation = accountRepresentation.extend({
  hasSecondFactor: z.boolean(),
  disabledAt: z.iso.datetime().nullable().meta({ description: 'Since when nobody can sign in to it.' }),
  disabledBy: z.string().nullable().meta({ description: 'The account of who has disabled it.' }),
});

/** @returns the account as {@link administeredRepresentation} has it */
export const representAdministered = (account: AdministeredAccount) => ({
  ...representAccount(account),
  hasSecondFactor: account.hasSecondFactor,
  disabledAt: account.disabledAt?.toISOString() ?? null,
  disabledBy: account.disabledBy ?? null,
});
