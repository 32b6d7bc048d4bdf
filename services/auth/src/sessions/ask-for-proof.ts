import { z } from 'zod';

import type { AccountQueries, Credentials } from '../accounts/account.model.ts';
import type { FactorQueries } from '../factors/factor.model.ts';
import { passkeyOptions } from '../factors/passkeys/passkey-bodies.ts';
import type { AskForPasskey } from '../factors/passkeys/use-passkey.ts';
import { secondMethodsOf } from '../factors/second-methods.ts';

/** What somebody may prove who they are with, and what to ask their authenticator where they have a passkey. */
export const proofOptions = z.object({
  methods: z.array(z.string()).meta({
    description:
      '`password`, `link`, `totp`, `recovery-codes`, `passkey`: what the account has. A `link` is mailed by `POST /v1/auth/sign-in/link`.',
  }),
  passkey: passkeyOptions.optional(),
});

/** Says what an account may prove itself with. */
export type AskForProof = (accountId: string) => Promise<z.output<typeof proofOptions>>;

/** First proofs of an account, each of which stands for its owner by itself: its password, and a link to an address that is known to be theirs. */
export const firstMethodsOf = ({ passwordHash, emailVerified }: Credentials): ('password' | 'link')[] => [
  ...(passwordHash === undefined ? [] : (['password'] as const)),
  ...(emailVerified ? (['link'] as const) : []),
];

/** @returns the use case: a first proof is asked for where there is no second one */
export const createAskForProof =
  (given: {
    readonly accounts: Pick<AccountQueries, 'credentialsOf'>;
    readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
    readonly askForPasskey: AskForPasskey;
  }): AskForProof =>
  async (accountId) => {
    const methods = secondMethodsOf(await given.factorQueries.activeOf(accountId));
    if (methods.length === 0) {
      const account = await given.accounts.credentialsOf(accountId);
      return { methods: account === undefined ? [] : firstMethodsOf(account) };
    }
    if (!methods.includes('passkey')) return { methods };
    const { ticket, options } = await given.askForPasskey(accountId);
    return { methods, passkey: { ticket, options: { ...options } } };
  };
