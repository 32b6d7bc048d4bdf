import { defineFault } from '@causeway/contracts';

/** Records cannot be told apart by what was named. */
export const keyNotUnique = defineFault({
  code: 'key-not-unique',
  category: 'unprocessable',
  title: 'No unique index tells records apart by these fields',
  description:
    'Name in `by` all fields of one unique index of the collection, and send a record that is in it. To administrators `extensions.keys` lists what there is to choose from; without one, define it: `{"keys": {"slug": 1}, "unique": true}`.',
});
