import { proofDeleted, proofMatched, proofRequested, proofUsed, proofWithdrawn } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { ProofDocument } from './proof.model.ts';

type Facts = Pick<ProofDocument, '_id' | 'kind' | 'accountId'>;

const facts = ({ _id, kind }: Pick<ProofDocument, '_id' | 'kind'>) => ({ proofId: _id, kind });

const owner = ({ accountId }: Pick<ProofDocument, 'accountId'>) => (accountId === undefined ? {} : { accountId });

/** Somebody asks for a link. */
export const requested = (proof: Facts & Pick<ProofDocument, 'email' | 'expiresAt'>): EventDraft =>
  draft(proofRequested, {
    ...facts(proof),
    ...owner(proof),
    ...{ email: proof.email, expiresAt: proof.expiresAt.toISOString() },
  });

/** The address is somebody's. */
export const matched = (proof: Facts, accountId: string): EventDraft =>
  draft(proofMatched, { ...facts(proof), accountId });

/** A link was used. */
export const used = (proof: Facts): EventDraft => draft(proofUsed, { ...facts(proof), ...owner(proof) });

/** A link opens nothing any more. */
export const withdrawn = (proof: Facts, reason: string): EventDraft =>
  draft(proofWithdrawn, { ...facts(proof), reason });

/** Nothing is kept of it. */
export const deleted = ({ _id }: Pick<ProofDocument, '_id'>): EventDraft => draft(proofDeleted, { proofId: _id });
