import { randomBytes } from 'node:crypto';

import { newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession, Filter } from 'mongodb';

import type { EmailAddress } from '../accounts/email-address.ts';
import type { FactorsBefore, HeldByProof, ProofDocument, ProofWords } from './proof.model.ts';
import { proofKinds } from './proof-kinds.ts';
import type { ProofKind } from './proof-kinds.ts';
import { requested } from './proofs.events.ts';
import { withdrawal } from './withdraw-proofs.ts';

/** Of one kind and address there is one that is open; more were never meant to be. */
const mostOpen = 20;

/** Which link, and to whom. */
export interface ProofRequest {
  readonly kind: ProofKind;
  readonly email: EmailAddress;
  /** Whose it is, where that is known without looking the address up: their own account asks. */
  readonly accountId?: string;
  /** What the mail tells beside the link, where its template names more. */
  readonly told?: ProofWords;
  /** Of one that takes a second factor back. */
  readonly before?: FactorsBefore;
  /** What comes of it, where that is to be an account. */
  readonly holds?: HeldByProof;
}

/** What {@link createOpenProof} is given. */
export interface OpenProofDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'create' | 'native' | 'update'>;
  readonly lifetimesMs: Readonly<Record<ProofKind, number>>;
  readonly now: () => Date;
}

/**
 * Makes a link, which is mailed by whoever handles its event, in the transaction that has a reason for it. Nothing is counted: whatever
 * strangers can ask for goes by `request-proof.ts`.
 *
 * @returns the id of the proof, and that of the event
 */
export type OpenProof = (
  cause: Cause,
  request: ProofRequest,
  session: ClientSession,
) => Promise<{ readonly proofId: string; readonly event: string }>;

/** Which open links a newer one takes the place of. */
const replacedBy = ({ kind, email, accountId }: ProofRequest): Filter<ProofDocument> | undefined => {
  const open = { kind, status: 'open' } as const;
  switch (proofKinds[kind].replaces) {
    case 'of-address':
      return { ...open, emailKey: email.key };
    case 'of-account':
      return accountId === undefined ? undefined : { ...open, accountId };
    case 'none':
      return undefined;
  }
};

/** Makes it. */
export const createOpenProof =
  ({ proofs, lifetimesMs, now }: OpenProofDependencies): OpenProof =>
  async (cause, request, session) => {
    const { kind, email, accountId, told, before, holds } = request;
    const at = now();
    const replaced = replacedBy(request);
    if (replaced !== undefined) {
      const open = proofs.native.find(replaced, { session, projection: { _id: 1 } });
      for (const { _id } of await open.limit(mostOpen).toArray())
        await proofs.update(cause, _id, (proof) => withdrawal(proof, 'superseded', at), { session });
    }
    const _id = newId('prf');
    const state = {
      ...{ kind, email: email.address, emailKey: email.key },
      ...(accountId === undefined ? {} : { accountId }),
      ...{ seed: randomBytes(32).toString('base64url'), status: 'open' as const },
      expiresAt: new Date(at.getTime() + lifetimesMs[kind]),
      ...(told !== undefined && { told }),
      ...(before !== undefined && { before }),
      ...holds,
    };
    const { event } = await proofs.create(cause, { _id, state, event: requested({ _id, ...state }) }, { session });
    return { proofId: _id, event: event.id };
  };
