import type { RemovalStep } from '@causeway/events';

import type { AuditCollections } from './audit.model.ts';

/** Entries that are changed by one statement. */
const chunk = 500;

/**
 * The step of an erasure that takes out of the audit what it told of somebody: addresses, names and devices. That something was done, when
 * and by which id, stays, and the chains still verify.
 *
 * @returns the step; it counts `auditEntriesForgotten`
 */
export const forgetAudit = (given: { readonly collections: () => Pick<AuditCollections, 'entries'> }): RemovalStep => ({
  name: 'forget-audit',
  pass: 'last',
  async run({ personId: accountId, isTimeUp }) {
    const { entries } = given.collections();
    let auditEntriesForgotten = 0;
    for (;;) {
      const telling = { accountId, personal: { $exists: true } };
      const found = await entries.find(telling, { projection: { _id: 1 }, limit: chunk }).toArray();
      if (found.length === 0) return { counts: { auditEntriesForgotten } };
      const ids = { _id: { $in: found.map(({ _id }) => _id) } };
      const { modifiedCount } = await entries.updateMany(ids, { $unset: { personal: '', salt: '' } });
      auditEntriesForgotten += modifiedCount;
      if (isTimeUp()) return { counts: { auditEntriesForgotten }, place: 'more' };
    }
  },
});
