import { defineFault } from '@causeway/contracts';

/** A filter matches more records than somebody wants to have written. */
export const tooManyMatches = defineFault({
  code: 'too-many-matches',
  category: 'conflict',
  title: 'The filter matches too many records',
  description:
    'More records match than `limit` lets a call write, and nothing was done. Narrow the filter, raise the limit (up to 10,000), or send `partial=true` to write as many as the limit says, and go on with `nextCursor`.',
});
