import type { Cause } from '@causeway/contracts';

import type { UseRecoveryCode } from './keep-recovery-codes.ts';
import type { OpenPasskey } from './passkeys/use-passkey.ts';
import type { SecondProof, TakeProof } from './second-proof.ts';
import type { UseTotp } from './use-totp.ts';

/**
 * Does what is to be done before the transaction of what a proof opens, and gives what takes it there.
 *
 * @throws fault `passkey-invalid`
 */
export type OpenSecondProof = (cause: Cause, accountId: string, proof: SecondProof) => Promise<TakeProof>;

/** @returns the use case */
export const createOpenSecondProof =
  (given: {
    readonly useTotp: UseTotp;
    readonly useRecoveryCode: UseRecoveryCode;
    readonly openPasskey: OpenPasskey;
  }): OpenSecondProof =>
  async (begun, accountId, proof) => {
    if (proof.kind === 'passkey') return (await given.openPasskey(begun, proof.answer, accountId)).take;
    const { kind, code } = proof;
    const use = kind === 'totp' ? given.useTotp : given.useRecoveryCode;
    return async (cause, session) => {
      const event = await use(cause, { accountId, code }, session);
      return { amr: [kind === 'totp' ? 'otp' : 'recovery'], event };
    };
  };
