import { guardDeleted } from '@causeway/contracts';
import type { Events, RecordedCollection, RemovalStep } from '@causeway/events';

import type { GuardDocument } from './guard.model.ts';
import { deleted } from './guards.events.ts';

/**
 * The step of an erasure that forgets what was guessed at somebody's account, and from where.
 *
 * @returns the step; it counts `guards` and `guardEventsRedacted`
 */
export const forgetGuards = (given: {
  readonly guards: () => Pick<RecordedCollection<GuardDocument>, 'delete'>;
  readonly redaction: () => Events['redaction'];
}): RemovalStep => ({
  name: 'forget-guards',
  pass: 'last',
  async run({ personId, cause, isTimeUp }) {
    await given.redaction().published();
    const keep = [guardDeleted.type];
    const { events, more } = await given.redaction().ofSubjects([`guard/${personId}`], { cause, isTimeUp, keep });
    if (more) return { counts: { guards: 0, guardEventsRedacted: events }, place: 'more' };
    const write = await given.guards().delete(cause, personId, ({ _id }) => deleted(_id));
    return { counts: { guards: write === undefined ? 0 : 1, guardEventsRedacted: events } };
  },
});
