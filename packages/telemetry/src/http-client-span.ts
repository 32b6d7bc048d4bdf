import { context, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { Dispatcher } from 'undici';

import { pathWithoutSecrets } from './path-without-secrets.ts';
import { formatTraceparent } from './trace-context.ts';

type RequestHeaders = Dispatcher.DispatchOptions['headers'];
type HeaderValue = string | string[] | number | undefined;

/** undici takes a flat array of names and values, an iterable of pairs, or an object. */
const entriesOf = (headers: RequestHeaders): Iterable<readonly [string, HeaderValue]> => {
  if (headers === null || headers === undefined) return [];
  if (Array.isArray(headers)) {
    const flat: readonly string[] = headers;
    return Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2] ?? '', flat[index * 2 + 1]]);
  }
  if (Symbol.iterator in headers) return headers as Iterable<readonly [string, HeaderValue]>;
  return Object.entries(headers);
};

const isTraceHeader = (name: string): boolean => /^trace(?:parent|state)$/i.test(name);

const withTrace = (headers: RequestHeaders, span: Span): Record<string, string | string[] | undefined> => {
  const result: Record<string, string | string[] | undefined> = {};
  for (const [name, value] of entriesOf(headers)) {
    if (!isTraceHeader(name)) result[name] = typeof value === 'number' ? String(value) : value;
  }
  const spanContext = span.spanContext();
  result.traceparent = formatTraceparent(spanContext);
  const tracestate = spanContext.traceState?.serialize();
  if (tracestate !== undefined && tracestate !== '') result.tracestate = tracestate;
  return result;
};

const describe = (span: Span, options: Dispatcher.DispatchOptions): void => {
  const origin = options.origin === undefined ? undefined : new URL(options.origin);
  span.setAttributes({
    'http.request.method': options.method,
    'url.path': pathWithoutSecrets(options.path.split('?', 1)[0] ?? ''),
    ...(origin !== undefined && {
      'server.address': origin.hostname,
      'server.port': Number(origin.port === '' ? (origin.protocol === 'https:' ? 443 : 80) : origin.port),
    }),
  });
};

const observed = (handler: Dispatcher.DispatchHandler, span: Span): Dispatcher.DispatchHandler => ({
  onRequestStart: (controller, data: unknown) => handler.onRequestStart?.(controller, data),
  onRequestUpgrade: (controller, status, headers, socket) => {
    span.setAttribute('http.response.status_code', status);
    span.end();
    handler.onRequestUpgrade?.(controller, status, headers, socket);
  },
  onResponseStart: (controller, status, headers, message) => {
    span.setAttribute('http.response.status_code', status);
    if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
    handler.onResponseStart?.(controller, status, headers, message);
  },
  onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
  onResponseEnd: (controller, trailers) => {
    span.end();
    handler.onResponseEnd?.(controller, trailers);
  },
  onResponseError: (controller, error) => {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.name });
    span.setAttribute('error.type', error.name);
    span.end();
    handler.onResponseError?.(controller, error);
  },
});

/**
 * An undici interceptor that makes a client span of each request and sends `traceparent` and `tracestate` with it:
 * `new Pool(origin).compose(clientSpans())`. A caller's own trace headers are replaced.
 */
export const clientSpans = (): Dispatcher.DispatcherComposeInterceptor => (dispatch) => (options, handler) => {
  const span = trace
    .getTracer('@causeway/telemetry')
    .startSpan(options.method, { kind: SpanKind.CLIENT }, context.active());
  const traced = { ...options, headers: withTrace(options.headers, span) };
  if (!span.isRecording()) return dispatch(traced, handler);
  describe(span, options);
  return dispatch(traced, observed(handler, span));
};
