/** An origin that is allowed: exactly, or on any port. */
export interface OriginPattern {
  /** Scheme and host, and the port where there is one: `https://app.example.com`. */
  readonly origin: string;
  readonly anyPort: boolean;
}

/**
 * Reads an allowed origin.
 *
 * @param text - `https://app.example.com`; `http://localhost:*` for any port
 * @returns undefined where it is no origin: a path, a wildcard elsewhere, another scheme
 */
export const parseOriginPattern = (text: string): OriginPattern | undefined => {
  const anyPort = text.endsWith(':*');
  const origin = anyPort ? text.slice(0, -2) : text;
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin || origin.includes('*'))
    return undefined;
  return { origin, anyPort };
};

const portForm = /^:\d{1,5}$/;

/**
 * Makes the test of origins.
 *
 * @param allowed - as {@link parseOriginPattern} takes them
 * @returns takes the header `Origin`
 * @throws TypeError where one is no origin
 */
export const originCheck = (allowed: readonly string[]): ((origin: string) => boolean) => {
  const exact = new Set<string>();
  const onAnyPort: string[] = [];
  for (const text of allowed) {
    const pattern = parseOriginPattern(text);
    if (pattern === undefined) throw new TypeError(`not an origin: ${text}`);
    exact.add(pattern.origin);
    if (pattern.anyPort) onAnyPort.push(pattern.origin);
  }
  return (origin) =>
    exact.has(origin) || onAnyPort.some((each) => origin.startsWith(each) && portForm.test(origin.slice(each.length)));
};
