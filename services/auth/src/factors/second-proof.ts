import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { PasskeyAnswer } from './passkeys/passkey-bodies.ts';

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
