// RFC 9110 §7.6.1, and what older agents use to the same end.
const always = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Headers that concern one connection and are never passed on. */
export const hopByHop: ReadonlySet<string> = new Set(always);

/** What a `Connection` header never takes away: it would change what the message means to the next one. */
const kept = new Set(['host', 'content-length', 'content-type', 'authorization', 'cache-control', 'cookie']);

/**
 * The headers that a message itself declares to be of its connection alone.
 *
 * @param connection - the header `Connection`
 * @returns names in lower case; undefined where it names none that are not always taken away
 */
export const namedInConnection = (connection: string | readonly string[] | undefined): Set<string> | undefined => {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  const names = String(connection)
    .toLowerCase()
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !kept.has(each) && !hopByHop.has(each) && each !== 'close');
  return names.length === 0 ? undefined : new Set(names);
};
