import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { AppendAudit } from './append-audit.ts';
import { auditedEvents } from './audited-events.ts';

/** A transaction costs as much as some ten events in it. In a quiet time an act is in the audit at once. */
const jointEveryMs = 200;

/** Keeps every security-relevant act: from the beginning of the log, in each installation that did not have it before. */
export const appendAuditHandler = (appendAudit: () => AppendAudit): Handler =>
  onEvent.batch({
    name: 'append-audit',
    on: auditedEvents.map(({ contract }) => contract),
    from: 'beginning',
    jointEveryMs,
    handle: (events, { session }) => appendAudit()(events, session),
  });
