import { z } from 'zod';

import { who } from '../explain/asked-explanation.ts';

/** People who are asked about at most, given or found. */
export const mostCallers = 100;

/** Records that are looked at where nothing else is said, and at most. */
export const records = { usual: 10_000, most: 100_000 } as const;

/** Events that are looked at where nothing else is said, and at most. */
export const events = { usual: 1_000, most: 10_000 } as const;

const rule = z.unknown();

/** What is to be tried. */
export const trialBody = z.strictObject({
  collection: z.string(),
  rules: z.record(z.string(), rule).optional().meta({
    description:
      'In the form of those of a definition: `read`, `create`, `update`, `delete`. What is left out stays as it is, and `null` takes a rule away.',
  }),
  fields: z
    .record(z.string(), z.strictObject({ read: rule.optional(), write: rule.optional() }))
    .optional()
    .meta({
      description:
        'By the dotted path of a field its `read` and `write`. What is left out stays as it is, and `null` takes a rule away.',
    }),
  who: z
    .array(z.union([z.literal('anonymous'), who]))
    .min(1)
    .max(mostCallers)
    .optional()
    .describe(
      'Whose rights are compared, by the names of `$auth`. Where it is left out: of somebody who is not signed in, of somebody who is and of whom nothing else is known, and of the people whom records and events name.',
    ),
  events: z
    .int()
    .min(0)
    .max(events.most)
    .default(events.usual)
    .describe('How many of the last events of the collection are looked at.'),
  records: z.int().min(0).max(records.most).default(records.usual).describe('How many records are looked at, by id.'),
});

/** What is to be tried. */
export type TrialBody = z.output<typeof trialBody>;
