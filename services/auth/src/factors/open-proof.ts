import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { UseRecoveryCode } from './keep-recovery-codes.ts';
import type { PasskeyAnswer } from './passkeys/passkey-bodies.ts';
import type { OpenPasskey } from './passkeys/use-passkey.ts';
import type { UseTotp } from './use-totp.ts';

/** A code of an authenticator app, or one of those on paper. */
export interface CodeProof {
  readonly kind: 'totp' | 'recovery-code';
  readonly code: string;
}

/** What an authenticator has answered. Nobody can guess it. */
export interface PasskeyProof {
  readonly kind: 'passkey';
  readonly answer: PasskeyAnswer;
}

/** What somebody proves who they are with, beside a password. */
export type SecondProof = CodeProof | PasskeyProof;

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
 * @throws faults `invalid-code`, `passkey-invalid`
 */
export type TakeProof = (cause: Cause, session: ClientSession) => Promise<TakenProof>;

/**
 * Does what is to be done before the transaction of what a proof opens, and gives what takes it there.
 *
 * @throws fault `passkey-invalid`
 */
export type OpenProof = (cause: Cause, accountId: string, proof: SecondProof) => Promise<TakeProof>;

/** @returns the use case */
export const createOpenProof =
  (given: {
    readonly useTotp: UseTotp;
    readonly useRecoveryCode: UseRecoveryCode;
    readonly openPasskey: OpenPasskey;
  }): OpenProof =>
  async (begun, accountId, proof) => {
    if (proof.kind === 'passkey') return (await given.openPasskey(begun, proof.answer, accountId)).take;
    const { kind, code } = proof;
    const use = kind === 'totp' ? given.useTotp : given.useRecoveryCode;
    return async (cause, session) => {
      const event = await use(cause, { accountId, code }, session);
      return { amr: [kind === 'totp' ? 'otp' : 'recovery'], event };
    };
  };
