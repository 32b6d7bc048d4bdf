import { z } from 'zod';

import { queryBody } from '../queries/query-body.ts';

const { explain, scan, as } = queryBody.shape;

/** The body of an aggregate. */
export const aggregateBody = z.strictObject({
  stages: z
    .array(z.unknown())
    .describe(
      'What is done, one after the other, each `{"name": …}`: `match`, `sort`, `limit`; `group` or `bucket`, and these three again; at the end `project` and `lookup`.',
    ),
  explain,
  scan,
  as,
});

/** An aggregate as it was sent. */
export type AggregateBody = z.output<typeof aggregateBody>;
