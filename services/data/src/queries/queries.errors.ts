import { defineFault } from '@causeway/contracts';

/** A query would look at all records of a large collection. */
export const queryNeedsIndex = defineFault({
  code: 'query-needs-index',
  category: 'unprocessable',
  title: 'The query needs an index',
  description:
    'The collection is large, and no index leads to what is asked for, so that all its records would be looked at. `indexes` names what an administrator may add to its definition; with `explain=true` an administrator sees what the rules need besides. An administrator may also let queries scan: one with `scan=allow`, or all with `"scans": "allow"` in the definition.',
});

/** A query would count, or put in order, too many records. */
export const queryTooCostly = defineFault({
  code: 'query-too-costly',
  category: 'unprocessable',
  title: 'The query takes too much',
  description:
    'So many records would have to be counted, put in order in memory, or shown beside others by `expand`, that the query is refused. Narrow the filter, leave out the count or something of `expand`, lower the limit, or have an administrator define an index in this order.',
});
