/** A path of this origin, with its query, that it is safe to send a browser to. */
export type LocalPath = string & { readonly __localPath: true };

const longest = 2_048;

/** How often a text is decoded in search of what it hides: a proxy between may decode once, and a careless one twice. */
const decodings = 3;

/** Browsers leave out tabs and line ends and take `\` for `/` (URL standard, "basic URL parser"): nobody needs either in a path. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const strange = /[\u0000-\u0020\u007f-\u009f\\]/;

const isPlain = (path: string): boolean => path.startsWith('/') && !path.startsWith('//') && !strange.test(path);

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

const isPlainHoweverDecoded = (path: string): boolean => {
  let text: string | undefined = path;
  for (let round = 0; round <= decodings; round += 1) {
    if (text === undefined || !isPlain(text)) return false;
    text = decoded(text);
  }
  return true;
};

/**
 * Where to go next, as somebody's link or form says it: only within this origin, so that our page never hands a visitor, and the
 * trust in our address, to a stranger's (CWE-601).
 *
 * @param next - as it was sent: a path, with a query if need be
 * @param publicUrl - where clients reach us
 * @returns undefined for everything else: another origin, `//evil`, `/\evil`, or what becomes one of these when it is decoded
 */
export const localPath = (next: unknown, publicUrl: string): LocalPath | undefined => {
  if (typeof next !== 'string' || next.length > longest) return undefined;
  if (!isPlain(next)) return undefined;
  if (!isPlainHoweverDecoded(next.split(/[?#]/, 1)[0] ?? '')) return undefined;
  const origin = new URL(publicUrl);
  const url = new URL(next, origin);
  // Dot segments are taken out here: `/.//evil` is `//evil` when it is written down again.
  if (url.origin !== origin.origin || !isPlain(url.pathname)) return undefined;
  return `${url.pathname}${url.search}${url.hash}` as LocalPath;
};
