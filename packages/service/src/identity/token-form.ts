/** What a header of ours says, and nothing else: no parameter of a stranger's is ever looked at. */
const headerNames: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);

/** A thumbprint of RFC 7638, and whatever else is a word: nothing that could be a path, a URL or a query. */
const keyId = /^[\w-]{1,64}$/;

/** Base64url without padding, the only way to write these bytes: RFC 4648 §3.5 lets decoders pass over bits that nobody asked for. */
const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part;

const parsed = (part: string): unknown => {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
};

const faultOfHeader = (header: unknown): string | undefined => {
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return 'the header is no JSON object';
  const strange = Object.keys(header).filter((name) => !headerNames.has(name));
  // `jku`, `x5u`, `jwk`, `crit`, `b64`: a token never says where its key is, or how it is to be read (RFC 8725 §3.10).
  if (strange.length > 0) return 'the header has a parameter that ours never have';
  const { kid } = header as { readonly kid?: unknown };
  if (typeof kid !== 'string' || !keyId.test(kid)) return 'the header names no key id';
  return undefined;
};

/**
 * What is wrong with the form of a token, before a key is looked for or anything of it is believed: there is one way to write a token of
 * ours, so that no two texts are the same token, and rubbish never costs a fetch of keys.
 *
 * @param token - what came after `Bearer`
 * @returns for the log; undefined where nothing is wrong. It never quotes the token
 */
export const faultOfForm = (token: string): string | undefined => {
  const parts = token.split('.');
  const [header = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3) return 'the token has not three parts';
  if (![header, payload, signature].every((part) => part !== '' && isCanonical(part)))
    return 'a part of the token is not base64url in its one form';
  // Ed25519 (RFC 8032 §5.1.6).
  if (Buffer.from(signature, 'base64url').length !== 64) return 'the signature has not 64 bytes';
  return faultOfHeader(parsed(header));
};
