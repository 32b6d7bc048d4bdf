import { factorAdded, factorRemoved, factorUpdated, factorUsed } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { FactorDocument } from './factor.model.ts';

type Facts = Pick<FactorDocument, '_id' | 'accountId' | 'kind'>;

/** Without what its owner calls it: events of a factor that has gone are found by nobody who has to forget its owner. */
const facts = ({ _id, accountId, kind }: Facts) => ({ factorId: _id, accountId, kind });

/** There is a further factor; nobody has to have it before it is confirmed. */
export const added = (factor: Facts & Pick<FactorDocument, 'status'>): EventDraft =>
  draft(factorAdded, { ...facts(factor), status: factor.status });

/** @param changed - the names of what has changed, never a secret's value */
export const updated = (factor: Facts, changed: readonly string[]): EventDraft =>
  draft(factorUpdated, { ...facts(factor), changed: [...changed] });

/** @param remaining - how many codes there are still, where it is one of codes */
export const used = (factor: Facts, remaining?: number): EventDraft =>
  draft(factorUsed, { ...facts(factor), ...(remaining !== undefined && { remaining }) });

/** It opens nothing any more. */
export const removed = (factor: Facts, reason: 'owner' | 'not-confirmed' | 'account-deleted' | 'reset'): EventDraft =>
  draft(factorRemoved, { ...facts(factor), reason });
