import { defineFault } from '@causeway/contracts';

/** Nobody could administer the platform any more. */
export const lastAdministrator = defineFault({
  code: 'last-administrator',
  category: 'conflict',
  title: 'There has to be an administrator',
  description:
    'No other account administers the platform. Make another one an administrator first, or enable one, then try again.',
});

/** There is an account with this address. */
export const emailTaken = defineFault({
  code: 'email-taken',
  category: 'conflict',
  title: 'There is an account with this e-mail address',
  description: 'Sign in with it instead, or sign up with another address.',
});
