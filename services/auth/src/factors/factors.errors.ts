import { defineFault } from '@causeway/contracts';

/** The code is wrong, is over, or was used. */
export const invalidCode = defineFault({
  code: 'invalid-code',
  category: 'unauthenticated',
  title: 'The code is wrong',
  description:
    'It does not belong to this account and this time, or it was used before: each code is taken once. Wait for the next, or take another of your recovery codes.',
});

/** There may be one of them, and there is. */
export const factorExists = defineFault({
  code: 'factor-exists',
  category: 'conflict',
  title: 'There is such a factor already',
  description: 'An account has one authenticator app. Remove the one that is there first.',
});
