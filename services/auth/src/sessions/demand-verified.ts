import { parseEmailAddress } from '../accounts/email-address.ts';
import type { RequestProof } from '../proofs/request-proof.ts';
import type { DemandVerified } from './complete-sign-in.ts';
import { emailUnverified } from './sessions.errors.ts';

/** What {@link createDemandVerified} is given. */
export interface DemandVerifiedDependencies {
  readonly requestProof: RequestProof;
  /** By the settings. */
  readonly isRequired: boolean;
}

/** Makes it. It comes after the proof: whoever does not have that is told nothing, and has nothing mailed. */
export const createDemandVerified =
  ({ requestProof, isRequired }: DemandVerifiedDependencies): DemandVerified =>
  async (cause, { _id: accountId, email: address, emailVerified }) => {
    if (!isRequired || emailVerified) return;
    const email = parseEmailAddress(address);
    if (email !== undefined) await requestProof(cause, { kind: 'verify-email', email, accountId });
    throw emailUnverified();
  };
