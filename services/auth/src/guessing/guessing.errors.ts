import { defineFault } from '@causeway/contracts';

/** Somebody guesses; whether there is such an account is told to nobody. */
export const tooManyAttempts = defineFault({
  code: 'too-many-attempts',
  category: 'too-many-requests',
  title: 'Too many attempts',
  description:
    'There were too many attempts with this address or from this network, and nothing was looked at. Wait for the number of seconds in ' +
    'Retry-After. A device that you have signed in from before gets in meanwhile.',
});
