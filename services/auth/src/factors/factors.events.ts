import { factorAdded, factorRemoved, factorUpdated, factorUsed } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { FactorDocument } from './factor.model.ts';

type Facts = Pick<FactorDocument, '_id' | 'accountId' | 'kind'>;

/** Without what its owner calls it: events of a factor that has gone are found by nobody who has to forget its owner. */
const facts = ({ _id, accountId, kind }: Facts) => ({ factorId: _id, accountId, kind });

/**
 * There is a further factor; nobody has to have it before it is confirmed.
 *
 * @param sessionId - of whoever has added it
 */
export const added = (factor: Facts & Pick<FactorDocument, 'status'>, sessionId?: string): EventDraft =>
  draft(factorAdded, { ...facts(factor), ...(sessionId !== undefined && { sessionId }), status: factor.status });

/**
 * @param changed - the names of what has changed, never a secret's value
 * @param by - in which session; for recovery codes, with which factor they were made anew
 */
export const updated = (
  factor: Facts,
  changed: readonly string[],
  { sessionId, cameWith }: { readonly sessionId?: string; readonly cameWith?: string } = {},
): EventDraft =>
  draft(factorUpdated, {
    ...facts(factor),
    ...(sessionId !== undefined && { sessionId }),
    changed: [...changed],
    ...(cameWith !== undefined && { cameWith }),
  });

/** @param remaining - how many codes there are still, where it is one of codes */
export const used = (factor: Facts, remaining?: number): EventDraft =>
  draft(factorUsed, { ...facts(factor), ...(remaining !== undefined && { remaining }) });

/** Why a factor opens nothing any more. */
export type RemovalReason = 'owner' | 'not-confirmed' | 'account-deleted' | 'reset' | 'undone' | 'administrator';

/**
 * It opens nothing any more.
 *
 * @param sessionId - of whoever has removed it
 */
export const removed = (factor: Facts, reason: RemovalReason, sessionId?: string): EventDraft =>
  draft(factorRemoved, { ...facts(factor), ...(sessionId !== undefined && { sessionId }), reason });
