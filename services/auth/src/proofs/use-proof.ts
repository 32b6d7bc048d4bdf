import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { overProof } from './proof.model.ts';
import type { ProofDocument } from './proof.model.ts';
import type { ProofKind } from './proof-kinds.ts';
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

/** A proof whose owner is known: of these kinds no other has been mailed to anybody. */
export type OwnedProof = ProofDocument & { readonly accountId: string };

/** Links of somebody who has an account. */
export type OwnedKind = Exclude<ProofKind, 'sign-up'>;

/** Takes links. */
export interface UseProof {
  /**
   * What a link stands for, without using it.
   *
   * @param kinds - of the links that are wanted; no other is taken
   * @returns the proof, which is nobody's yet where somebody signs up by it
   * @throws fault `link-invalid`
   */
  look(token: string, kinds: readonly ProofKind[]): Promise<ProofDocument>;
  /**
   * What a link is, or was, for: it may be over.
   *
   * @returns undefined where it is not genuine, or is forgotten
   */
  kindOf(token: string): Promise<ProofKind | undefined>;
  /** What a link of an account stands for, as {@link UseProof.look} says it. */
  peek(token: string, kind: OwnedKind): Promise<OwnedProof>;
  /**
   * Uses a link, in the transaction of its effect: of any number at once, one does.
   *
   * @returns the proof, and the id of the event
   * @throws fault `link-invalid`
   */
  use(
    cause: Cause,
    token: string,
    kind: OwnedKind,
    session: ClientSession,
  ): Promise<{ proof: OwnedProof; event: string }>;
  /**
   * Uses a link that somebody signs up by, in the transaction that makes their account.
   *
   * @param accountId - of the account
   * @returns the id of the event
   * @throws fault `link-invalid`
   */
  redeem(cause: Cause, token: string, accountId: string, session: ClientSession): Promise<string>;
}

/** Makes it. */
export const createUseProof = ({ proofs, proofTokens, now }: UseProofDependencies): UseProof => {
  const idIn = (token: string): string => {
    const proofId = readProofToken(token);
    if (proofId === undefined) throw linkInvalid();
    return proofId;
  };

  // The kind of the row, not of the caller: a token that was made for another does not come to be genuine.
  const isGenuine = ({ _id: proofId, kind, emailKey, seed }: ProofDocument, token: string): boolean =>
    proofTokens.isGenuine(token, { proofId, kind, emailKey, seed });

  const isGood = (proof: ProofDocument, token: string, kinds: readonly ProofKind[]): boolean => {
    const { kind } = proof;
    const genuine = isGenuine(proof, token);
    const isMailed = kind === 'sign-up' || proof.accountId !== undefined;
    return genuine && kinds.includes(kind) && proof.status === 'open' && proof.expiresAt > now() && isMailed;
  };

  const look = async (token: string, kinds: readonly ProofKind[]): Promise<ProofDocument> => {
    const proof = await proofs.native.findOne({ _id: idIn(token) });
    if (proof === null || !isGood(proof, token, kinds)) throw linkInvalid();
    return proof;
  };

  const end = async (
    cause: Cause,
    { token, kind, owner }: { readonly token: string; readonly kind: ProofKind; readonly owner?: string },
    session: ClientSession,
  ): Promise<{ proof: ProofDocument; event: string }> => {
    const write = await proofs.update(
      cause,
      idIn(token),
      (proof) => {
        if (!isGood(proof, token, [kind])) return undefined;
        const whose = owner === undefined ? {} : { accountId: owner };
        return { state: { ...overProof(proof, 'used', now()), ...whose }, event: used({ ...proof, ...whose }) };
      },
      { session },
    );
    if (write?.event === undefined) throw linkInvalid();
    return { proof: write.document, event: write.event.id };
  };

  return {
    look,
    async kindOf(token) {
      const proofId = readProofToken(token);
      const proof = proofId === undefined ? null : await proofs.native.findOne({ _id: proofId });
      return proof !== null && isGenuine(proof, token) ? proof.kind : undefined;
    },
    peek: async (token, kind) => (await look(token, [kind])) as OwnedProof,
    use: async (cause, token, kind, session) => {
      const { proof, event } = await end(cause, { token, kind }, session);
      return { proof: proof as OwnedProof, event };
    },
    redeem: async (cause, token, owner, session) =>
      (await end(cause, { token, kind: 'sign-up', owner }, session)).event,
  };
};
