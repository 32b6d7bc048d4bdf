import type { RecordedCollection } from '@causeway/events';

import type { ProofDocument } from './proof.model.ts';
import { proofKinds } from './proof-kinds.ts';
import type { ProofTokens } from './proof-token.ts';

/**
 * The link of a proof, for the mail that brings it.
 *
 * @returns undefined where it would open nothing
 */
export type LinkOf = (proofId: string) => Promise<string | undefined>;

/** What {@link createLinkOf} is given. */
export interface LinkOfDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native'>;
  readonly proofTokens: Pick<ProofTokens, 'issue'>;
  /** Where clients reach the platform: nothing that a caller says stands in a link. */
  readonly publicUrl: string;
  readonly now: () => Date;
}

/** Makes it. */
export const createLinkOf =
  ({ proofs, proofTokens, publicUrl, now }: LinkOfDependencies): LinkOf =>
  async (proofId) => {
    const proof = await proofs.native.findOne({ _id: proofId });
    if (proof?.status !== 'open' || proof.expiresAt <= now()) return undefined;
    const { kind, emailKey, seed } = proof;
    return `${publicUrl}/account/${proofKinds[kind].page}/${proofTokens.issue({ proofId, kind, emailKey, seed })}`;
  };
