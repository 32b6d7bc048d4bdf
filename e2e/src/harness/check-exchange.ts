import assert from 'node:assert/strict';
import type { ApiDocument, Exchange } from './api-document.ts';

/** What is known of a call besides what went over the wire. */
export interface Expected {
  /** The address that problem types begin with; where it is not known, only what follows it is looked at. */
  readonly publicUrl?: string;
  /** The route is one that does not exist, or exists for other methods: the answer has to say so. */
  readonly isUnknown?: boolean | undefined;
  /** The head of the request is larger than any server reads: it may be refused before its route is known. */
  readonly isRefusedEarly?: boolean | undefined;
}

/**
 * Holds an exchange against /openapi.json, and against what is true of every answer, whatever the route.
 *
 * @throws AssertionError when it is something else
 */
export function checkExchange(document: ApiDocument, exchange: Exchange, expected: Expected = {}): void {
  const shown = `${exchange.method} ${exchange.target.slice(0, 500)} → ${exchange.status}`;
  if (exchange.status >= 400) checkProblem(exchange, shown, expected.publicUrl);
  // The parser gave up on its head: there is no request yet that could have an id or a route.
  if (expected.isRefusedEarly === true && exchange.status === 431) return;
  assert.match(exchange.headers['x-request-id'] ?? '', /^[\w-]{8,}$/, `${shown}: X-Request-Id`);
  assert.match(exchange.headers.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/, `${shown}: traceparent`);
  if (expected.isUnknown === true) {
    assert.equal(document.find(exchange.method, exchange.target), undefined, `${shown}: is in openapi.json`);
    assert.ok([404, 405].includes(exchange.status), shown);
  } else document.check(exchange);
}

/** RFC 9457, and what every problem of ours has besides. */
function checkProblem({ headers, text = '', status, method }: Exchange, shown: string, publicUrl?: string): void {
  assert.equal(headers['content-type'], 'application/problem+json', `${shown}\n${text}`);
  if (method === 'HEAD') return;
  const problem = JSON.parse(text) as Record<string, unknown>;
  const [type, path] = [String(problem.type), `/problems/${String(problem.code)}`];
  assert.equal(problem.status, status, shown);
  if (publicUrl === undefined) assert.ok(type.endsWith(path), `${shown}: ${type} is not ${path}`);
  else assert.equal(type, `${publicUrl}${path}`, shown);
  assert.equal(problem.requestId, headers['x-request-id'], shown);
  if (status === 401) assert.match(headers['www-authenticate'] ?? '', /^Bearer\b/, shown);
  if (status === 405) assert.ok(headers.allow, `${shown}: Allow`);
  if (status === 429 || status === 503) assert.match(headers['retry-after'] ?? '', /^\d+$/, `${shown}: Retry-After`);
}

/** @returns the headers of an answer as an exchange has them: one text each */
export function headersOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value = '']) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
