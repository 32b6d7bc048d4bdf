import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Spans of this scope say of an error no more than its name. */
export const ownScope = '@causeway/telemetry';

const worded = ['exception.message', 'exception.stacktrace'];

/**
 * Takes the words of errors from the spans of library instrumentations: a driver's message may quote what was written, as
 * MongoDB's of a duplicate key does. That there was an error, and its type, stay.
 */
export const withoutMessages = (): SpanProcessor => ({
  onStart: () => undefined,
  onEnding(span) {
    const { status, events, instrumentationScope } = span as unknown as ReadableSpan;
    if (instrumentationScope.name === ownScope) return;
    if (status.message !== undefined) span.setStatus({ code: status.code });
    for (const { attributes = {} } of events) for (const name of worded) Reflect.deleteProperty(attributes, name);
  },
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
});
