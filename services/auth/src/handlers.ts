import { accountDeleted } from '@causeway/contracts';
import { redactPerson, removalHandlers } from '@causeway/events';
import type { Handler } from '@causeway/events';
import type { Logger } from '@causeway/telemetry';

import { accountHandlers } from './accounts/accounts.wiring.ts';
import { emailHandlers } from './accounts/email/email-changes.wiring.ts';
import { administrationHandlers } from './accounts/admin/administration.wiring.ts';
import { auditHandlers, auditRemovalSteps } from './audit/audit.wiring.ts';
import type { Config } from './config.ts';
import { erasureHandlers, erasureRemovalSteps } from './erasure/erasure.wiring.ts';
import { factorHandlers, factorRemovalSteps } from './factors/factors.wiring.ts';
import type { Ground } from './feature.ts';
import type { Features } from './features.ts';
import { guessingHandlers, guessingRemovalSteps } from './guessing/guessing.wiring.ts';
import { foreignMailRemovalSteps, mailHandlers, mailRemovalSteps } from './mail/mail.wiring.ts';
import { passwordHandlers } from './passwords/password-changes.wiring.ts';
import { proofHandlers, proofRemovalSteps } from './proofs/proofs.wiring.ts';
import { sessionHandlers, sessionRemovalSteps } from './sessions/sessions.wiring.ts';
import { ticketRemovalSteps } from './tickets/tickets.wiring.ts';

/** What there is once the service has started. */
export type Late = Features & { readonly ground: Ground };

/** What handlers are declared with. */
export interface Declaration {
  readonly config: Config;
  readonly logger: Logger;
  /** For when they run: they are declared before anything is connected. */
  readonly late: () => Late;
}

/** What this service does when something happens, here or elsewhere. */
export const handlersOf = ({ config, logger, late }: Declaration): Handler[] => [
  ...erasureHandlers(config, logger),
  ...accountHandlers(late),
  ...emailHandlers(late),
  ...proofHandlers(late),
  ...passwordHandlers(late),
  ...factorHandlers(late),
  ...guessingHandlers(late),
  ...mailHandlers(late),
  ...sessionHandlers(late),
  ...administrationHandlers(late),
  ...auditHandlers(late),
  // Somebody who is erased is removed from this service too.
  ...removalHandlers({
    service: 'auth',
    markers: () => late().ground.markers,
    persons: () => late().ground.events.persons,
    kafkaUntil: (from) => late().ground.events.kafkaUntil(from),
    steps: [
      ...ticketRemovalSteps(late),
      ...sessionRemovalSteps(late),
      ...guessingRemovalSteps(late),
      // Found by the links.
      ...foreignMailRemovalSteps(late),
      // Before mails: a link that is gone has none written.
      ...proofRemovalSteps(late),
      ...mailRemovalSteps(late),
      ...factorRemovalSteps(late),
      ...auditRemovalSteps(late),
      // Near the end: what other steps redact is found by what is there still.
      redactPerson({ redaction: () => late().ground.events.redaction, keep: [accountDeleted.type] }),
      ...erasureRemovalSteps(late),
    ],
  }),
];
