import { defineFault } from '@causeway/contracts';

/** The address is unknown, or the password wrong: which of them is told to nobody. */
export const invalidCredentials = defineFault({
  code: 'invalid-credentials',
  category: 'unauthenticated',
  title: 'The e-mail address or the password is wrong',
  description: 'No account has this address and this password. Which of the two is wrong is not told.',
});

/** The password is right, and the account is disabled: told to nobody who does not have it. */
export const accountDisabled = defineFault({
  code: 'account-disabled',
  category: 'forbidden',
  title: 'The account is disabled',
  description: 'An administrator has disabled this account. Ask whoever runs this service.',
});

/** The password is right, and nobody has verified the address, which the settings demand: told to nobody who does not have it. */
export const emailUnverified = defineFault({
  code: 'email-unverified',
  category: 'forbidden',
  title: 'The e-mail address is not verified',
  description:
    'The account is signed in to once its address is verified: open the newest link that was mailed to it; another is on its way, five an hour at most.',
});

/** The refresh token is none of ours, or its session is over. */
export const invalidRefreshToken = defineFault({
  code: 'invalid-refresh-token',
  category: 'unauthenticated',
  title: 'The refresh token is not valid',
  description: 'It is malformed, or its session has been ended or has expired. Sign in again.',
});

/** A refresh token was used after it had been exchanged. */
export const refreshReused = defineFault({
  code: 'refresh-reused',
  category: 'unauthenticated',
  title: 'The refresh token was used before',
  description:
    'Each refresh token is exchanged once. Somebody used this one after it had been exchanged, which happens when tokens are stolen: the session has been ended. Sign in again.',
});
