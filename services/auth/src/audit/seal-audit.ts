import { auditSealed } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { draft, DuplicateKey } from '@causeway/events';
import type { Decision, RecordedCollection } from '@causeway/events';

import type { AuditCollections, AuditHead, AuditSealDocument } from './audit.model.ts';

/** What {@link createSealAudit} is given. */
export interface SealAuditDependencies {
  readonly collections: Pick<AuditCollections, 'heads'>;
  readonly seals: Pick<RecordedCollection<AuditSealDocument>, 'create' | 'update'>;
  readonly now: () => Date;
}

/**
 * Tells the world where each chain stands that has moved since it was last told: whoever keeps the events notices a chain that is cut off
 * or made anew.
 *
 * @returns the job
 */
export const createSealAudit = ({ collections, seals, now }: SealAuditDependencies) => {
  const sealOf = ({ _id: chain, seq, hash }: AuditHead): Decision<AuditSealDocument> => ({
    state: { seq, hash },
    event: draft(auditSealed, { chain, seq, hash, at: now().toISOString() }),
  });

  const seal = async (cause: Cause, head: AuditHead): Promise<void> => {
    const _id = String(head._id);
    const later = await seals.update(cause, _id, ({ seq }) => (seq < head.seq ? sealOf(head) : undefined));
    if (later === undefined) await seals.create(cause, { _id, ...sealOf(head) });
  };

  return async (cause: Cause, signal: AbortSignal): Promise<void> => {
    for (const head of await collections.heads.find().sort({ _id: 1 }).toArray()) {
      if (signal.aborted) return;
      await seal(cause, head).catch((error: unknown) => {
        // Another replica has been faster.
        if (!(error instanceof DuplicateKey)) throw error;
      });
    }
  };
};
