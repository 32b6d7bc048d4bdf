import type { IncomingHttpHeaders } from 'node:http';

import { hopByHop, namedInConnection } from './hop-by-hop.ts';

/** Headers of an answer, by lower-case name. */
export type Head = Record<string, string | string[]>;

/** What the gateway alone says in an answer. */
const ours = new Set(['x-request-id', 'traceparent', 'tracestate', 'causeway-internal', 'server', 'x-powered-by']);

const lowerCase = new Map<string, string>();

const lower = (name: string): string => {
  const known = lowerCase.get(name);
  if (known !== undefined) return known;
  lowerCase.set(name, name.toLowerCase());
  return name.toLowerCase();
};

const joinVary = (theirs: string | string[] | undefined, more: string): string =>
  theirs === undefined ? more : `${String(theirs)}, ${more}`;

/**
 * The headers that a client gets: the service's without those of its connection, over the gateway's defaults, under what the
 * gateway alone may say.
 *
 * @param headers - of the service's answer
 * @param defaults - what every answer has; a service may say otherwise, except about the request's id and trace
 * @param extra - of the gateway for this answer (CORS, limits), by lower-case name; a `vary` is added to the service's
 */
export const responseHeaders = (
  headers: IncomingHttpHeaders,
  defaults: Readonly<Record<string, string>>,
  extra: Readonly<Record<string, string>>,
): Head => {
  const head: Head = {};
  const named = namedInConnection(headers.connection);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || ours.has(name) || named?.has(name) === true) continue;
    head[name] = value;
  }
  for (const name in defaults) head[lower(name)] ??= defaults[name] ?? '';
  for (const name in extra) {
    const value = extra[name] ?? '';
    head[name] = name === 'vary' ? joinVary(head.vary, value) : value;
  }
  return head;
};
