import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Histogram,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';

import { createDurationHistogram } from './metrics.ts';
import { formatTraceparent, parseTraceparent } from './trace-context.ts';

/** How requests are traced. */
export interface ServerSpanOptions {
  /**
   * Whether a caller's `traceparent` is continued. Behind the gateway it is; at the edge it is not: there a trace of our
   * own begins, linked to the caller's, whose sampled flag is not obeyed.
   */
  readonly trustIncoming: boolean;
}

/** Express's and Connect's form of a middleware, without depending on either. */
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
  const tracer = trace.getTracer('@causeway/telemetry');
  if (incoming === undefined) return tracer.startSpan(method, { kind: SpanKind.SERVER }, ROOT_CONTEXT);
  return trusted
    ? tracer.startSpan(method, { kind: SpanKind.SERVER }, trace.setSpanContext(ROOT_CONTEXT, incoming))
    : tracer.startSpan(method, { kind: SpanKind.SERVER, links: [{ context: incoming }] }, ROOT_CONTEXT);
};

/** Methods that may be a span's name; any other would let callers invent names (semantic conventions, HTTP). */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const endSpan = (span: Span, request: IncomingMessage, response: ServerResponse, method: string): void => {
  if (span.isRecording()) {
    const route = routes.get(response);
    const [path = ''] = (request.url ?? '').split('?', 1);
    span.updateName(route === undefined ? method : `${method} ${route}`);
    span.setAttributes({
      'http.request.method': method,
      'url.path': path,
      'url.scheme': 'http',
      'http.response.status_code': response.statusCode,
      ...(route !== undefined && { 'http.route': route }),
      ...(method === '_OTHER' && { 'http.request.method_original': request.method ?? '' }),
      ...(response.statusCode >= 500 && { 'error.type': String(response.statusCode) }),
    });
    if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    if (!response.writableFinished) span.addEvent('the client went before the answer was sent');
  }
  span.end();
};

/**
 * A server span and a duration for each request, and `traceparent` on the answer. Follows the semantic conventions for
 * HTTP; the query never becomes an attribute, since filters and cursors are the caller's data.
 *
 * @param options - whether the caller's trace is ours
 */
export const serverSpans = (options: ServerSpanOptions): ServerSpanMiddleware => {
  let durations: Histogram | undefined;
  return (request, response, next) => {
    // At first use: the meter provider may have been registered after this middleware was made.
    durations ??= createDurationHistogram('http.server.request.duration', 'Duration of requests that were served.');
    const measured = durations;
    const startedAt = performance.now();
    const method = knownMethods.has(request.method ?? '') ? (request.method ?? '') : '_OTHER';
    const incoming = parseTraceparent(single(request.headers.traceparent));
    const span = startSpan(incoming, options.trustIncoming, method);
    response.setHeader('traceparent', formatTraceparent(span.spanContext()));
    response.once('close', () => {
      const route = routes.get(response);
      measured.record((performance.now() - startedAt) / 1000, {
        'http.request.method': method,
        'http.response.status_code': response.statusCode,
        'http.route': route ?? '',
      });
      endSpan(span, request, response, method);
    });
    context.with(trace.setSpan(ROOT_CONTEXT, span), next);
  };
};
