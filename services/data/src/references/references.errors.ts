import { defineFault } from '@causeway/contracts';

/** A record names another that is not there, or that the caller may not see. */
export const referenceNotFound = defineFault({
  code: 'reference-not-found',
  category: 'unprocessable',
  title: 'A record that is referred to is not there',
  description:
    "The collection's definition makes the fields that `errors` names references: each holds the id of a record that is there, in the collection that the definition names, and that you may read.",
});

/** A record cannot be deleted while others refer to it. */
export const stillReferenced = defineFault({
  code: 'still-referenced',
  category: 'conflict',
  title: 'Other records refer to this one',
  description:
    'A definition keeps this record for as long as others refer to it (`"onDelete": "restrict"`). `examples` names some of those that you may read: change or delete them first, in one batch where it has to be at once.',
});

/** More records follow from a delete than go into one transaction. */
export const tooManyDependents = defineFault({
  code: 'too-many-dependents',
  category: 'conflict',
  title: 'Too many records refer to this one',
  description:
    'A definition has records deleted or changed together with the one that they refer to: at most 1,000 and 16 MiB in one transaction, and five levels deep. Delete or change those that refer first.',
});

/** A collection cannot be removed while others refer to it. */
export const collectionReferenced = defineFault({
  code: 'collection-referenced',
  category: 'conflict',
  title: 'Definitions refer to this collection',
  description:
    'The definitions of the collections that `collections` names have fields that refer to records of this one. Define them without these references first, or remove them.',
});
