import { sessionDeleted } from '@causeway/contracts';
import type { Events, RecordedCollection, RemovalStep } from '@causeway/events';

import type { EndSession } from '../sessions/end-session.ts';
import type { SessionDocument, SessionQueries } from '../sessions/session.model.ts';
import { deleted } from '../sessions/sessions.events.ts';

/** Sessions that are dealt with at a time. */
const chunk = 20;

/**
 * The step of an erasure that ends what sessions of somebody are live still: those that did not fit into the transaction of the
 * account, and one that a sign-in began in the same moment.
 *
 * @returns the step; it counts `sessionsEnded`
 */
export const endSessions = (given: {
  readonly sessionQueries: () => Pick<SessionQueries, 'liveIdsBut'>;
  readonly endSession: () => EndSession;
}): RemovalStep => ({
  name: 'end-sessions',
  async run({ personId: accountId, cause, isTimeUp }) {
    let sessionsEnded = 0;
    for (;;) {
      const ids = await given.sessionQueries().liveIdsBut(accountId, '', chunk);
      if (ids.length === 0) return { counts: { sessionsEnded } };
      await Promise.all(ids.map((sessionId) => given.endSession()(cause, { sessionId, accountId, reason: 'revoked' })));
      sessionsEnded += ids.length;
      if (isTimeUp()) return { counts: { sessionsEnded }, place: 'more' };
    }
  },
});

/**
 * The step of an erasure that forgets all sessions of somebody, with the addresses and devices that they were begun from. Their end is
 * remembered until then, for as long as a token could be in date.
 *
 * @returns the step; it counts `sessions` and `sessionEventsRedacted`
 */
export const forgetSessions = (given: {
  readonly sessions: () => Pick<RecordedCollection<SessionDocument>, 'delete'>;
  readonly sessionQueries: () => Pick<SessionQueries, 'idsOf'>;
  readonly redaction: () => Events['redaction'];
}): RemovalStep => ({
  name: 'forget-sessions',
  pass: 'last',
  async run({ personId, cause, isTimeUp }) {
    const counts = { sessions: 0, sessionEventsRedacted: 0 };
    await given.redaction().published();
    for (;;) {
      const ids = await given.sessionQueries().idsOf(personId, chunk);
      if (ids.length === 0) return { counts };
      const subjects = ids.map((id) => `session/${id}`);
      // First the log: once the sessions are gone, nothing tells which of its events were about them.
      const keep = [sessionDeleted.type];
      const { events, more } = await given.redaction().ofSubjects(subjects, { cause, isTimeUp, keep });
      counts.sessionEventsRedacted += events;
      if (more) return { counts, place: 'more' };
      await Promise.all(ids.map((id) => given.sessions().delete(cause, id, deleted)));
      counts.sessions += ids.length;
      if (isTimeUp()) return { counts, place: 'more' };
    }
  },
});
