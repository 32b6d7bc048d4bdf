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
  description:
    'An account has one authenticator app, and each passkey is one account’s, once. Remove the one that is there first.',
});

/** Nobody needs more of them. */
export const factorLimit = defineFault({
  code: 'factor-limit',
  category: 'conflict',
  title: 'There are as many as there may be',
  description: 'An account has ten passkeys at most. Remove one that is not used any more first.',
});

/** Each has a mail: more of them would hide the one that matters. */
export const tooManyFactors = defineFault({
  code: 'too-many-factors',
  category: 'too-many-requests',
  title: 'Too many second factors were added',
  description:
    'Ten second factors were added to this account within an hour, each with a mail that tells its owner, and this one was not. Wait for the ' +
    'number of seconds in Retry-After.',
});

/** Without it mail alone would open the account. */
export const lastFactor = defineFault({
  code: 'last-factor',
  category: 'conflict',
  title: 'Mail alone would open the account',
  description:
    'The account has no password, and no other second factor. Set a password first (`PUT /v1/auth/password`), or add another authenticator app or passkey.',
});

/** What an authenticator has signed is not what was asked for. */
export const passkeyInvalid = defineFault({
  code: 'passkey-invalid',
  category: 'unauthenticated',
  title: 'The passkey was not accepted',
  description:
    'It is not known here, was used on another site or without verifying who holds it, or the ceremony has taken too long: each challenge is answered once, within five minutes. Ask for new options and try again.',
});

/** Whoever reads the mail alone would open the account by it. */
export const soleFactor = defineFault({
  code: 'sole-factor',
  category: 'conflict',
  title: 'It is the only second factor that is left',
  description:
    'The account had another when this one was added, and has it no more: a mailed link does not take the last one away. Sign in and remove it, or ask an administrator.',
});
