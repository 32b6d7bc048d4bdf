import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { AppendAudit } from './append-audit.ts';
import { auditedEvents } from './audited-events.ts';

/** Keeps every security-relevant act: from the beginning of the log, in each installation that did not have it before. */
export const appendAuditHandler = (appendAudit: () => AppendAudit): Handler =>
  onEvent.batch({
    name: 'append-audit',
    on: auditedEvents.map(({ contract }) => contract),
    from: 'beginning',
    handle: (events, { session }) => appendAudit()(events, session),
  });
