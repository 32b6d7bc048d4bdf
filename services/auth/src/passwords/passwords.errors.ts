import { defineFault } from '@causeway/contracts';

/** Somebody who guesses would try it first. */
export const passwordCommon = defineFault({
  code: 'password-common',
  category: 'unprocessable',
  title: 'The password is one of those that are guessed first',
  description:
    'It is in lists of common or breached passwords, or is such a one with digits and signs around it, runs along a keyboard, or is the ' +
    'name or address of its owner. Choose another: a few words that have nothing to do with each other are easy to remember and hard to guess.',
});
