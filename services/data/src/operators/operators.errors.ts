import { defineFault } from '@causeway/contracts';

/** An operator of a patch does not fit what is there. */
export const operatorFailed = defineFault({
  code: 'operator-failed',
  category: 'conflict',
  title: 'An operator does not fit the record',
  description:
    'What the record holds at a path is not what the operator is for, such as a text for `$inc`, or nothing can be at this path. Nothing was changed. Read the record again and make a new patch.',
});
