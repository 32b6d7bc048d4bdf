/** Links that mails carry: what stands behind the page's name is the token that lets somebody in. */
const page = /^(\/account\/[^/]*\/).+$/s;

/**
 * A path as it may be logged and traced: a token in the link of a mail is left out.
 *
 * @param path - without a query
 */
export const pathWithoutSecrets = (path: string): string =>
  path.startsWith('/account/') ? path.replace(page, '$1…') : path;
