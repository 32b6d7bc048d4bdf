import { accountDeleted } from '@causeway/contracts';
import { redactPerson, removalHandlers } from '@causeway/events';
import type { Events, Handler, RecordedCollection, RemovalDocument } from '@causeway/events';
import type { Logger } from '@causeway/telemetry';

import type { Config } from './config.ts';
import { erasePerson } from './erasure/erase-person.saga.ts';
import { endSessions, forgetSessions } from './erasure/remove-sessions.ts';
import { warnOfStalled } from './erasure/warn-of-stalled.ts';
import type { EndSession } from './sessions/end-session.ts';
import type { SessionDocument, SessionQueries } from './sessions/session.model.ts';

/** What handlers are given; what exists only after the events do is asked for when it is needed. */
interface Late {
  readonly config: Pick<Config, 'erasureSettleMs' | 'erasureAnswerMs'>;
  readonly logger: Logger;
  readonly events: () => Events;
  readonly markers: () => RecordedCollection<RemovalDocument>;
  readonly sessions: () => RecordedCollection<SessionDocument>;
  readonly sessionQueries: () => SessionQueries;
  readonly endSession: () => EndSession;
}

/** What this service does when something happens, here or elsewhere: it erases people, from itself too. */
export const handlersOf = ({
  config,
  logger,
  events,
  markers,
  sessions,
  sessionQueries,
  endSession,
}: Late): Handler[] => {
  const redaction = (): Events['redaction'] => events().redaction;
  return [
    erasePerson({ settleMs: config.erasureSettleMs, answerMs: config.erasureAnswerMs }),
    warnOfStalled(logger),
    ...removalHandlers({
      service: 'auth',
      markers,
      persons: () => events().persons,
      kafkaUntil: (from) => events().kafkaUntil(from),
      steps: [
        endSessions({ sessionQueries, endSession }),
        forgetSessions({ sessions, sessionQueries, redaction }),
        redactPerson({ redaction, keep: [accountDeleted.type] }),
      ],
    }),
  ];
};
