import { defineFault } from '@causeway/contracts';

/** A field that the caller may not give a value. */
export const fieldReadOnly = defineFault({
  code: 'field-read-only',
  category: 'unprocessable',
  title: 'A field is read-only',
  description:
    "The collection's definition keeps the fields that `errors` names for administrators and for their defaults. Leave them out, or as they are.",
});

/** A field whose value is there to stay. */
export const fieldWriteOnce = defineFault({
  code: 'field-write-once',
  category: 'unprocessable',
  title: 'A field can be written once',
  description:
    "The collection's definition lets the fields that `errors` names be given a value once, by anybody; they have theirs. Send them as they are: to replace a record without them removes them.",
});

/** A field that the caller may not write. */
export const fieldForbidden = defineFault({
  code: 'field-forbidden',
  category: 'forbidden',
  title: 'A field is for others to write',
  description:
    "The collection's definition has rules for single fields, which do not let you write those that `errors` names in this record, whether or not you see them. Leave them as they are, or out.",
});
