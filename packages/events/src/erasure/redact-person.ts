import type { Events } from '../events.ts';
import { subjectsOf } from './redaction.ts';
import type { RemovalStep } from './removal.ts';

/** How {@link redactPerson} is wired. */
export interface RedactPersonOptions {
  readonly redaction: () => Events['redaction'];
  /** Properties of data that hold who caused an event: `createdBy`. */
  readonly fields?: readonly string[];
  /** Types of events about the person that name nothing but ids. */
  readonly keep?: readonly string[];
}

/** The last step of every service: its log and its parking lot forget the person. */
export const redactPerson = (options: RedactPersonOptions): RemovalStep => ({
  name: 'redact-person',
  pass: 'last',
  async run({ personId, cause, isTimeUp }) {
    const { redaction, fields = [], keep = [] } = options;
    await redaction().published();
    const about = await redaction().ofSubjects(subjectsOf(personId), { cause, isTimeUp, keep });
    const caused = await redaction().ofPrincipal(personId, { isTimeUp, fields });
    const counts = { eventsRedacted: about.events, eventsUnnamed: caused.events, parkedDiscarded: about.parked };
    // What is done is not met again: there is no place to remember but that there is more.
    return { counts, place: about.more || caused.more ? 'more' : undefined };
  },
});
