import { defineFault } from '@causeway/contracts';

/** Nobody could administer the platform any more. */
export const lastAdministrator = defineFault({
  code: 'last-administrator',
  category: 'conflict',
  title: 'The last administrator cannot be erased',
  description: 'Somebody has to administer the platform. Make another account an administrator first, then try again.',
});
