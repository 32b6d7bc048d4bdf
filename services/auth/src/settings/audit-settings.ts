import { defineSettings } from '@causeway/service';

/** What is kept of what happens. */
export const auditSettings = defineSettings({
  auditSealEveryMs: {
    env: 'AUDIT_SEAL_INTERVAL',
    type: 'duration',
    default: 3_600_000,
    min: 1_000,
    description:
      'How often `auth.audit.sealed` tells where the chains of the audit stand that have moved: whoever keeps these events notices an audit that was cut off or made anew.',
  },
});
