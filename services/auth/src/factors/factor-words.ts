/**
 * What a mail calls a factor. Not by its name: whoever has added it may have written that.
 *
 * @param kind - of the factor
 */
export const factorInWords = (kind: string): string => {
  if (kind === 'recovery-codes') return 'recovery codes';
  return kind === 'passkey' ? 'a passkey' : 'an authenticator app';
};
