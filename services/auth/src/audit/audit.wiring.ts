import type { Handler, RemovalStep } from '@causeway/events';
import { bySystem } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import { createDemandRecent } from '../sessions/demand-recent.ts';
import { stepUpRules } from '../sessions/step-up-rules.ts';
import { activityRoute } from './activity.route.ts';
import { createAppendAudit } from './append-audit.ts';
import type { AppendAudit } from './append-audit.ts';
import { appendAuditHandler } from './append-audit.handler.ts';
import { createAuditCursors } from './audit-cursors.ts';
import { auditCollections } from './audit.model.ts';
import type { AuditCollections } from './audit.model.ts';
import { forgetAudit } from './forget-audit.ts';
import { listAuditRoute } from './list-audit.route.ts';
import { createNoteReading } from './note-reading.ts';
import { createReadAudit } from './read-audit.ts';
import { createSealAudit } from './seal-audit.ts';

type AuditGround = Pick<
  Ground,
  'config' | 'events' | 'masterKey' | 'accountQueries' | 'auditSeals' | 'readings' | 'now'
>;

/** What was done, by whom and to whom: appended, sealed, read. */
export function createAudit({
  config,
  events,
  masterKey,
  accountQueries,
  auditSeals: seals,
  readings,
  now,
}: AuditGround) {
  const collections = auditCollections(events.db);
  const appendAudit = createAppendAudit({ collections, persons: events.persons, slots: config.kafkaPartitions });
  const sealAudit = createSealAudit({ collections, seals, now });
  const readAudit = createReadAudit({
    entries: collections.entries,
    cursors: createAuditCursors(masterKey.vault('audit-cursor')),
  });
  const demandRecent = createDemandRecent({ accountQueries, rule: stepUpRules(config).recent });
  const noteReading = createNoteReading(readings);
  return {
    ...{ appendAudit, readAudit, noteReading, collections },
    routes: [listAuditRoute({ readAudit, noteReading, demandRecent }), activityRoute({ readAudit })],
    ensureIndexes: () => collections.ensureIndexes(),
    jobs: [{ name: 'seal-audit', everyMs: config.auditSealEveryMs, run: (signal) => sealAudit(bySystem(), signal) }],
  } satisfies Feature;
}

/** What {@link createAudit} gives. */
export type Audit = ReturnType<typeof createAudit>;

/** What is kept of what happens. */
export const auditHandlers = (late: () => { readonly audit: { readonly appendAudit: AppendAudit } }): Handler[] => [
  appendAuditHandler(() => late().audit.appendAudit),
];

/** What is done about the audit's entries of somebody who is erased. */
export const auditRemovalSteps = (
  late: () => { readonly audit: { readonly collections: AuditCollections } },
): RemovalStep[] => [forgetAudit({ collections: () => late().audit.collections })];
