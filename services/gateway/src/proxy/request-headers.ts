import type { IncomingHttpHeaders } from 'node:http';
import { cookieOf } from '@causeway/service';

import { hopByHop, namedInConnection } from './hop-by-hop.ts';

/** What the gateway tells a service about a call, besides what the caller says. */
export interface Forwarding {
  readonly requestId: string;
  readonly clientAddress: string;
  readonly internalKey: string;
  /** `http` or `https`: as clients reach the gateway. */
  readonly proto: string;
  readonly host: string;
  /** The one cookie that the service gets, by its name; all of them where it is not given. */
  readonly onlyCookie?: string | undefined;
}

// Only the gateway says these; a service believes them, because they come with the internal key.
const ours = new Set([
  'host',
  'expect',
  'forwarded',
  'x-request-id',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'traceparent',
  'tracestate',
  'baggage',
]);

/** The only header of ours that a client may set. */
const fromClients = 'causeway-after';

const isSpoofed = (name: string): boolean =>
  ours.has(name) ||
  name.startsWith('x-forwarded-') ||
  name.startsWith('x-original-') ||
  (name.startsWith('causeway-') && name !== fromClients);

/** The same few dozen names come with each request. */
const verdicts = new Map<string, boolean>();
const mostVerdicts = 1_000;

const isDropped = (name: string): boolean => {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const dropped = hopByHop.has(name) || isSpoofed(name);
  // Invented names do not fill the memory.
  if (verdicts.size < mostVerdicts) verdicts.set(name, dropped);
  return dropped;
};

/** A refresh token is auth's alone to see; so are other applications' cookies theirs, on a machine that has several. */
const keepCookie = (headers: Record<string, string | string[]>, name: string): void => {
  const { cookie, authorization } = headers;
  Reflect.deleteProperty(headers, 'cookie');
  if (cookie === undefined || authorization !== undefined) return;
  const value = cookieOf(String(cookie), name);
  if (value !== undefined) headers.cookie = `${name}=${value}`;
};

/**
 * The headers that a service gets: the caller's without those of its connection and those that only the gateway may set, and
 * the gateway's own.
 *
 * @param headers - as the caller sent them
 * @param forwarding - what is ours to say
 */
export const requestHeaders = (
  headers: IncomingHttpHeaders,
  forwarding: Forwarding,
): Record<string, string | string[]> => {
  const result: Record<string, string | string[]> = {};
  const named = namedInConnection(headers.connection);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || isDropped(name) || named?.has(name) === true) continue;
    result[name] = value;
  }
  if (forwarding.onlyCookie !== undefined) keepCookie(result, forwarding.onlyCookie);
  result['x-request-id'] = forwarding.requestId;
  result['x-forwarded-for'] = forwarding.clientAddress;
  result['x-forwarded-proto'] = forwarding.proto;
  result['x-forwarded-host'] = forwarding.host;
  result['causeway-internal'] = forwarding.internalKey;
  return result;
};
