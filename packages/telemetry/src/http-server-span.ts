import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';

import { pathWithoutSecrets } from './path-without-secrets.ts';
import { requestDurations } from './request-durations.ts';
import { parseTraceparent } from './trace-context.ts';

/** How requests are traced. */
export interface ServerSpanOptions {
  /**
   * Whether a caller's `traceparent` is continued, as that of another service of ours is. Of anybody else a trace of our own
   * begins, linked to the caller's, whose sampled flag is not obeyed.
   */
  readonly trustIncoming: (request: IncomingMessage) => boolean;
}

/** Runs `next` inside the request's span. Wrap the whole listener: a middleware of Express's costs a match more. */
export type ServerSpanMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

const routes = new WeakMap<ServerResponse, string>();

/**
 * Names the route that answers, for the span and the metrics of the request.
 *
 * @param template - with braces for parameters: `/v1/data/{collection}`
 */
export const setSpanRoute = (response: ServerResponse, template: string): void => {
  routes.set(response, template);
};

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? undefined : header;

const startSpan = (incoming: SpanContext | undefined, trusted: boolean, method: string): Span => {
  // What the gateway does not record, nobody behind it does: its context is passed on as it came, without a span.
  if (trusted && incoming !== undefined && (incoming.traceFlags & TraceFlags.SAMPLED) === 0) {
    return trace.wrapSpanContext(incoming);
  }
  const tracer = trace.getTracer('@causeway/telemetry');
  if (incoming === undefined) return tracer.startSpan(method, { kind: SpanKind.SERVER }, ROOT_CONTEXT);
  return trusted
    ? tracer.startSpan(method, { kind: SpanKind.SERVER }, trace.setSpanContext(ROOT_CONTEXT, incoming))
    : tracer.startSpan(method, { kind: SpanKind.SERVER, links: [{ context: incoming }] }, ROOT_CONTEXT);
};

/** Methods that may be a span's name; any other would let callers invent names (semantic conventions, HTTP). */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const describe = (
  span: Span,
  request: IncomingMessage,
  response: ServerResponse,
  method: string,
  route: string,
): void => {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const { statusCode } = response;
  span.updateName(route === '' ? method : `${method} ${route}`);
  span.setAttributes({
    'http.request.method': method,
    'url.path': pathWithoutSecrets(path),
    'url.scheme': 'http',
    'http.response.status_code': statusCode,
    ...(route !== '' && { 'http.route': route }),
    ...(method === '_OTHER' && { 'http.request.method_original': request.method ?? '' }),
    ...(statusCode >= 500 && { 'error.type': String(statusCode) }),
  });
  if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  if (!response.writableFinished) span.addEvent('the client went before the answer was sent');
};

/**
 * A server span and a duration for each request. Follows the semantic conventions for
 * HTTP; the query never becomes an attribute, since filters and cursors are the caller's data.
 *
 * @param options - whose trace is ours
 */
export const serverSpans =
  (options: ServerSpanOptions): ServerSpanMiddleware =>
  (request, response, next) => {
    const startedAt = performance.now();
    const method = knownMethods.has(request.method ?? '') ? (request.method ?? '') : '_OTHER';
    const incoming = parseTraceparent(single(request.headers.traceparent));
    const span = startSpan(incoming, incoming !== undefined && options.trustIncoming(request), method);
    response.on('close', () => {
      const route = routes.get(response) ?? '';
      requestDurations.record((performance.now() - startedAt) / 1000, method, response.statusCode, route);
      if (span.isRecording()) describe(span, request, response, method, route);
      span.end();
    });
    context.with(trace.setSpan(ROOT_CONTEXT, span), next);
  };
