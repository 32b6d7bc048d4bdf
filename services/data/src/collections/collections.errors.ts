import { defineFault } from '@causeway/contracts';

/** A new definition does not hold for the records there. */
export const definitionConflict = defineFault({
  code: 'definition-conflict',
  category: 'conflict',
  title: 'The definition does not hold for the records there',
  description:
    'Records that are there would break the new schema or index; `examples` names some. Change them first, or define something that they keep to.',
});

/** Somebody else is changing the same definition. */
export const definitionBusy = defineFault({
  code: 'definition-busy',
  category: 'conflict',
  title: 'The collection is being changed',
  description:
    'Another change of this definition is running, or its records are being removed. Try again when it is done.',
});

/** A collection that is to be removed has records. */
export const collectionNotEmpty = defineFault({
  code: 'collection-not-empty',
  category: 'conflict',
  title: 'The collection has records',
  description: 'Delete its records first, or repeat the call with ?records=delete to delete them with it.',
});

/** There are as many collections as there may be. */
export const tooManyCollections = defineFault({
  code: 'too-many-collections',
  category: 'conflict',
  title: 'There are too many collections',
  description: 'Remove collections that are not needed any more.',
});
