import { z } from 'zod';

import { ruleWarning } from '../../queries/plan/rule-warnings.ts';
import { who } from '../explain/asked-explanation.ts';

const reason = {
  because: z.string().optional().describe('Of the first example in one sentence: what the rules that are tried say.'),
  decidedBy: z
    .object({ pointer: z.string(), words: z.string() })
    .nullable()
    .optional()
    .describe('The clause that decides there.'),
};

/** How much is gained, and how much is lost. */
const changesOf = <Example extends z.ZodType>(example: Example) => {
  const counted = z.object({ count: z.int(), examples: z.array(example).describe('Up to five.'), ...reason });
  return z.object({ gains: counted, losses: counted });
};

const ofRecords = changesOf(z.string().describe('The id of a record.'));

const feedEvent = z.enum(['created', 'updated', 'deleted', 'entered', 'left']).nullable();

const feedExample = z.object({
  eventId: z.string(),
  record: z.string(),
  now: feedEvent.describe('As which it is told now; null for not at all.'),
  then: feedEvent.describe('As which it would be told.'),
});

const caller = z.object({
  who: z
    .union([z.enum(['anonymous', 'signed-in']), who])
    .describe('`signed-in` stands for somebody of whom nothing else is known.'),
  create: z
    .object({ now: z.boolean(), then: z.boolean() })
    .describe('Whether there can be a record that they may create.'),
  read: ofRecords,
  update: ofRecords.describe('Records that they may begin to change; what a change makes is judged once there is one.'),
  delete: ofRecords,
  fields: z
    .array(z.object({ path: z.string(), read: ofRecords, write: ofRecords }))
    .describe(
      'Of fields with rules of their own, where something changes: in how many records that they may read, or change, anyway.',
    ),
  feed: changesOf(feedExample).describe('Events that a feed of all records would begin, or cease, to tell them.'),
});

const action = z.enum(['create', 'update', 'delete']);

const ofCalls = changesOf(
  z.object({
    eventId: z.string(),
    who: z.string().describe('Who made the call, by the event; `anonymous` for nobody who was signed in.'),
    action,
    record: z.string(),
  }),
).extend({ judged: z.int() });

/** What would become of rights. */
export const trialAnswer = z.object({
  collection: z.string(),
  revision: z.int().describe('Of the definition that there is.'),
  wouldChange: z.boolean().describe('Whether the definition would be another than the one that there is.'),
  complete: z.boolean().describe('Whether there was time for all that was to be looked at.'),
  warnings: z.array(ruleWarning),
  callers: z.array(caller),
  people: z
    .object({
      found: z.int().describe('How many people records and events name, up to 10,000.'),
      compared: z
        .int()
        .describe('Those of them who were asked about: who is named most, without roles or organisation.'),
      unchanged: z.int().describe('Those of these for whom nothing would change: they are left out of `callers`.'),
    })
    .optional()
    .describe('Absent where `who` was given.'),
  records: z.object({
    looked: z.int().describe('How many were looked at.'),
    more: z.boolean().describe('Whether there are more.'),
    tooCostly: z.int().describe('Of these, how many a rule takes too long over: nothing is said of them.'),
  }),
  events: z.object({
    looked: z.int(),
    since: z.iso.datetime().nullable().describe('When the earliest of them was recorded.'),
    ended: z
      .enum(['enough', 'beginning', 'too-far', 'time'])
      .describe(
        'Why no earlier ones were looked at: there were as many as asked for; the log begins there; earlier ones stand behind 100,000 events of other collections; the time was up.',
      ),
    calls: z
      .object({ create: ofCalls, update: ofCalls, delete: ofCalls })
      .describe(
        'What would become of the calls that they tell of, if they were made again: `losses` would be refused.',
      ),
    unjudged: z.array(
      z.object({
        reason: z
          .enum(['consequence', 'unattributed', 'unknown-caller', 'encrypted-field', 'too-costly'])
          .describe(
            'A `consequence` of something else; by nobody whom its event names; the rules ask for roles or an organisation, which events do not tell (give them in `who`); or for who may write an encrypted field, of which events say nothing; a rule takes too long over it.',
          ),
        count: z.int(),
      }),
    ),
  }),
});
