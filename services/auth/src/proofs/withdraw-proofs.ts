import type { Cause } from '@causeway/contracts';
import type { Decision, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { overProof } from './proof.model.ts';
import type { ProofDocument, ProofQueries } from './proof.model.ts';
import type { ProofKind } from './proof-kinds.ts';
import { withdrawn } from './proofs.events.ts';

/** Proofs that are dealt with at a time. */
const chunk = 50;

/** Links of an account that one transaction withdraws. There are far fewer: of each kind so many are made in an hour, and they are over in days. */
const mostAtOnce = 1000;

/**
 * @param accountId - whose address it is, where that is known: it goes with them
 * @returns the end of a proof that was not used, decided; undefined where it is over already
 */
export const withdrawal = (
  proof: ProofDocument,
  reason: string,
  at: Date,
  accountId = proof.accountId,
): Decision<ProofDocument> | undefined =>
  proof.status === 'open'
    ? {
        state: { ...overProof(proof, 'withdrawn', at), ...(accountId === undefined ? {} : { accountId }) },
        event: withdrawn(proof, reason),
      }
    : undefined;

/** Whose links open nothing any more, which of them, and why. */
export interface WithdrawProofsCommand {
  readonly accountId: string;
  readonly kinds: readonly ProofKind[];
  /** Only those to this address. */
  readonly emailKey?: string;
  /** Only those that are as new. */
  readonly since?: Date;
  readonly reason: string;
}

/** Withdraws links of an account that are open, in the transaction of what has made them needless. */
export type WithdrawProofs = (cause: Cause, command: WithdrawProofsCommand, session: ClientSession) => Promise<void>;

/**
 * Makes it. Links that have not been mailed yet are not among them: whose they are, is not known. Of more than {@link mostAtOnce} the newest go,
 * which are good for longest.
 */
export const createWithdrawProofs =
  (given: {
    readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native' | 'update'>;
    readonly now: () => Date;
  }): WithdrawProofs =>
  async (cause, { accountId, kinds, emailKey, since, reason }, session) => {
    const open = {
      ...{ accountId, status: 'open' as const, kind: { $in: [...kinds] } },
      ...(emailKey !== undefined && { emailKey }),
      ...(since !== undefined && { createdAt: { $gte: since } }),
    };
    const found = given.proofs.native.find(open, { session, projection: { _id: 1 } }).sort({ createdAt: -1 });
    for (const { _id } of await found.limit(mostAtOnce).toArray())
      await given.proofs.update(cause, _id, (proof) => withdrawal(proof, reason, given.now()), { session });
  };

/**
 * Withdraws what others, or the same person, have asked for who wanted to sign up with an address, in the transaction that makes its account.
 * What is left of very many opens nothing either, since the address is taken.
 */
export type WithdrawSignUps = (
  cause: Cause,
  whose: { readonly emailKey: string; readonly accountId: string },
  session: ClientSession,
) => Promise<void>;

/** Makes it. */
export const createWithdrawSignUps =
  (given: {
    readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native' | 'update'>;
    readonly now: () => Date;
  }): WithdrawSignUps =>
  async (cause, { emailKey, accountId }, session) => {
    const open = { emailKey, kind: 'sign-up', status: 'open' } as const;
    const found = given.proofs.native.find(open, { session, projection: { _id: 1 } });
    for (const { _id } of await found.limit(chunk).toArray())
      await given.proofs.update(cause, _id, (proof) => withdrawal(proof, 'signed-up', given.now(), accountId), {
        session,
      });
  };

/** What {@link createExpireProofs} is given. */
export interface ExpireProofsDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'update'>;
  readonly proofQueries: Pick<ProofQueries, 'expiredIds'>;
  readonly now: () => Date;
}

/**
 * Withdraws the proofs that are over by time, so that their end is an event too. What is over is refused by its date already: nothing
 * depends on when this runs.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives how many it has withdrawn
 */
export const createExpireProofs =
  ({ proofs, proofQueries, now }: ExpireProofsDependencies) =>
  async (cause: Cause, signal: AbortSignal): Promise<number> => {
    let count = 0;
    while (!signal.aborted) {
      const at = now();
      const ids = await proofQueries.expiredIds(at, chunk);
      if (ids.length === 0) break;
      const ends = await Promise.all(
        ids.map((id) => proofs.update(cause, id, (proof) => withdrawal(proof, 'expired', at))),
      );
      count += ends.filter((write) => write?.event !== undefined).length;
    }
    return count;
  };
