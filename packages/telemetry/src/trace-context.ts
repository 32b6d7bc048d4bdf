import { context, isSpanContextValid, trace, TraceFlags, type SpanContext } from '@opentelemetry/api';

/** W3C trace context as it travels in headers and in events (https://www.w3.org/TR/trace-context-1/). */
export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Longest `tracestate` that is passed on: the standard asks for at least 512 characters (§3.3.1.5). */
const longestTracestate = 512;

// Version ff is forbidden; later versions may append fields after another dash (§3.2.2.3, §4.3).
const traceparentForm = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/**
 * Reads a `traceparent`.
 *
 * @param traceparent - the header, or an event's attribute
 * @returns undefined when it is absent or malformed, as the standard asks (§4.3)
 */
export const parseTraceparent = (traceparent: string | undefined): SpanContext | undefined => {
  const match = traceparent === undefined ? null : traceparentForm.exec(traceparent);
  if (match === null) return undefined;
  const [, traceId = '', spanId = '', flags = '00'] = match;
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(found) ? found : undefined;
};

/** @returns the `traceparent` header that names this span */
export const formatTraceparent = (span: SpanContext): string =>
  `00-${span.traceId}-${span.spanId}-0${span.traceFlags & TraceFlags.SAMPLED}`;

/**
 * The trace context of what runs now, to be put into a header or an event.
 *
 * @returns an empty object outside any span
 */
export const currentTraceContext = (): TraceContext => {
  const span = trace.getSpanContext(context.active());
  if (span === undefined || !isSpanContextValid(span)) return {};
  const tracestate = span.traceState?.serialize();
  return {
    traceparent: formatTraceparent(span),
    ...(tracestate !== undefined && tracestate !== '' && tracestate.length <= longestTracestate && { tracestate }),
  };
};
