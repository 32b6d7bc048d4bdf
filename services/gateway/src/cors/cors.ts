import type { IncomingHttpHeaders } from 'node:http';

import { originCheck } from './allowed-origins.ts';

/** Headers by lower-case name. */
type Headers = Readonly<Record<string, string>>;

/** What browsers are told (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface Cors {
  /** Whether pages of an origin may read answers. */
  allows(origin: string): boolean;
  /** Headers of an answer: which page may read it. Always names `Origin` in `vary`, for caches. */
  answer(headers: IncomingHttpHeaders): Headers;
  /** Whether a browser asks for permission before the call itself. */
  isPreflight(method: string, headers: IncomingHttpHeaders): boolean;
  /** Headers of the answer to a preflight; without permission where the origin is not allowed. */
  preflight(headers: IncomingHttpHeaders): Headers;
}

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** What clients may send beyond what the standard allows anyway. */
const requestHeaders = [
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Last-Event-ID',
  'Prefer',
  'Causeway-After',
  'X-Request-Id',
  'traceparent',
  'tracestate',
].join(', ');

const exposedHeaders = [
  'ETag',
  'Link',
  'Location',
  'Retry-After',
  'X-Request-Id',
  'Causeway-Event',
  'Causeway-Position',
  'Idempotency-Replayed',
  'RateLimit',
  'RateLimit-Policy',
].join(', ');

/** How long a browser remembers a permission. */
const maxAgeS = 600;

const varies: Headers = { vary: 'Origin' };
const preflightVaries: Headers = {
  vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
};

/**
 * Makes the CORS answers. Pages of other origins send tokens in a header: none is ever allowed to send the browser's cookies, which are for
 * pages of this one.
 *
 * @param allowedOrigins - `https://app.example.com`, `http://localhost:*`
 */
export const createCors = (allowedOrigins: readonly string[]): Cors => {
  const isAllowed = originCheck(allowedOrigins);
  return {
    allows: isAllowed,
    answer: ({ origin }) =>
      origin === undefined || !isAllowed(origin)
        ? varies
        : {
            ...varies,
            'access-control-allow-origin': origin,
            'access-control-expose-headers': exposedHeaders,
          },
    isPreflight: (method, headers) =>
      method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined,
    preflight: ({ origin }) =>
      origin === undefined || !isAllowed(origin)
        ? preflightVaries
        : {
            ...preflightVaries,
            'access-control-allow-origin': origin,
            'access-control-allow-methods': methods,
            'access-control-allow-headers': requestHeaders,
            'access-control-max-age': String(maxAgeS),
          },
  };
};
