import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { UseRecoveryCode } from './keep-recovery-codes.ts';
import type { UseTotp } from './use-totp.ts';

/** What somebody proves who they are with, beside a password: a code of an authenticator app, or one of those on paper. */
export interface CodeProof {
  readonly kind: 'totp' | 'recovery-code';
  readonly code: string;
}

/** A proof that was right. */
export interface TakenProof {
  /** The methods of RFC 8176. */
  readonly amr: readonly string[];
  /** Id of the event that was recorded. */
  readonly event: string;
}

/**
 * Takes a proof, once.
 *
 * @param session - of the transaction of what it opens
 * @throws fault `invalid-code`
 */
export type TakeProof = (cause: Cause, session: ClientSession) => Promise<TakenProof>;

/** Does what is to be done before the transaction of what a proof opens, and gives what takes it there. */
export type OpenProof = (accountId: string, proof: CodeProof) => Promise<TakeProof>;

/** @returns the use case */
export const createOpenProof =
  (given: { readonly useTotp: UseTotp; readonly useRecoveryCode: UseRecoveryCode }): OpenProof =>
  (accountId, { kind, code }) =>
    Promise.resolve(async (cause, session) => {
      const use = kind === 'totp' ? given.useTotp : given.useRecoveryCode;
      const event = await use(cause, { accountId, code }, session);
      return { amr: [kind === 'totp' ? 'otp' : 'recovery'], event };
    });
