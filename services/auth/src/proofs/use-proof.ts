import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { ProofDocument } from './proof.model.ts';
import { readProofToken } from './proof-token.ts';
import type { ProofTokens } from './proof-token.ts';
import { linkInvalid } from './proofs.errors.ts';
import { used } from './proofs.events.ts';

/** What {@link createUseProof} is given. */
export interface UseProofDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native' | 'update'>;
  readonly proofTokens: ProofTokens;
  readonly now: () => Date;
}

/** A proof whose owner is known: no other has been mailed to anybody. */
export type OwnedProof = ProofDocument & { readonly accountId: string };

/** Takes links. */
export interface UseProof {
  /**
   * What a link stands for, without using it.
   *
   * @param kind - of the link that is wanted; no other is taken
   * @throws fault `link-invalid`
   */
  peek(token: string, kind: string): Promise<OwnedProof>;
  /**
   * Uses a link, in the transaction of its effect: of any number at once, one does.
   *
   * @returns the proof, and the id of the event
   * @throws fault `link-invalid`
   */
  use(cause: Cause, token: string, kind: string, session: ClientSession): Promise<{ proof: OwnedProof; event: string }>;
}

/** Makes it. */
export const createUseProof = ({ proofs, proofTokens, now }: UseProofDependencies): UseProof => {
  const idIn = (token: string): string => {
    const proofId = readProofToken(token);
    if (proofId === undefined) throw linkInvalid();
    return proofId;
  };

  const isGood = (proof: ProofDocument, token: string, kind: string): proof is OwnedProof => {
    const { _id: proofId, emailKey, seed } = proof;
    // The kind of the row, not of the caller: a token that was made for another does not come to be genuine.
    const genuine = proofTokens.isGenuine(token, { proofId, kind: proof.kind, emailKey, seed });
    return (
      genuine &&
      proof.kind === kind &&
      proof.status === 'open' &&
      proof.expiresAt > now() &&
      proof.accountId !== undefined
    );
  };

  return {
    async peek(token, kind) {
      const proof = await proofs.native.findOne({ _id: idIn(token) });
      if (proof === null || !isGood(proof, token, kind)) throw linkInvalid();
      return proof;
    },
    async use(cause, token, kind, session) {
      const write = await proofs.update(
        cause,
        idIn(token),
        (proof) =>
          isGood(proof, token, kind)
            ? { state: { ...stateOf(proof), status: 'used', endedAt: now() }, event: used(proof) }
            : undefined,
        { session },
      );
      if (write?.event === undefined) throw linkInvalid();
      return { proof: write.document as OwnedProof, event: write.event.id };
    },
  };
};
