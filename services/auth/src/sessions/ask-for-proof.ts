import { z } from 'zod';

import type { FactorQueries } from '../factors/factor.model.ts';
import { passkeyOptions } from '../factors/passkeys/passkey-bodies.ts';
import type { AskForPasskey } from '../factors/passkeys/use-passkey.ts';

/** What somebody may prove who they are with, and what to ask their authenticator where they have a passkey. */
export const proofOptions = z.object({
  methods: z.array(z.string()).meta({ description: '`password`, `totp`, `recovery-codes`, `passkey`' }),
  passkey: passkeyOptions.optional(),
});

/** Says what an account may prove itself with. */
export type AskForProof = (accountId: string) => Promise<z.output<typeof proofOptions>>;

/** @returns the use case: a password is asked for where there is nothing else */
export const createAskForProof =
  (given: {
    readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
    readonly askForPasskey: AskForPasskey;
  }): AskForProof =>
  async (accountId) => {
    const methods = [...new Set((await given.factorQueries.activeOf(accountId)).map(({ kind }) => kind))];
    if (methods.length === 0) return { methods: ['password'] };
    if (!methods.includes('passkey')) return { methods };
    const { ticket, options } = await given.askForPasskey(accountId);
    return { methods, passkey: { ticket, options: { ...options } } };
  };
