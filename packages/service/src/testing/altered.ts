/**
 * @param text - a token or a cursor, which ends in base64url
 * @returns another: of the last character but one every bit counts, of the last one not (RFC 4648 §3.5)
 */
export const altered = (text: string): string => {
  const at = text.length - 2;
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
};
