import { defineFault } from '@causeway/contracts';

/** There is an account with this address. */
export const emailTaken = defineFault({
  code: 'email-taken',
  category: 'conflict',
  title: 'There is an account with this e-mail address',
  description: 'Sign in with it instead, or sign up with another address.',
});
