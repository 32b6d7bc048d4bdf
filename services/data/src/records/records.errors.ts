import { defineFault } from '@causeway/contracts';

/** A unique index refuses a value. */
export const duplicateValue = defineFault({
  code: 'duplicate-value',
  category: 'conflict',
  title: 'Another record has this value',
  description:
    'A unique index of the collection covers the fields that `errors` names, and another record has their values.',
});

/** A patch does not fit the record. */
export const patchFailed = defineFault({
  code: 'patch-failed',
  category: 'conflict',
  title: 'The patch does not fit the record',
  description:
    'An operation of the JSON Patch names a place that is not there, or its test failed (RFC 6902 §5). Read the record again and make a new patch.',
});

/** An index of the collection cannot hold a record. */
export const unindexable = defineFault({
  code: 'unindexable',
  category: 'unprocessable',
  title: 'An index cannot hold this record',
  description:
    'One index of the collection covers two fields that are arrays in this record, where it takes one; or a field of a 2dsphere index holds something else than one GeoJSON geometry on the globe whose edges do not cross; or an index takes fewer values or words than this record has.',
});

/** A query took too long. */
export const queryTooSlow = defineFault({
  code: 'query-too-slow',
  category: 'timeout',
  title: 'The query took too long',
  description:
    'Narrow the filter, or have an administrator define an index for the fields of the filter and the order.',
});
