import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';

import { parseTraceparent, type TraceContext } from './trace-context.ts';

/** Where messages go to or come from. */
export interface Destination {
  /** The topic. */
  readonly destination: string;
  readonly partition?: number | undefined;
  readonly offset?: string;
  /** Messages in the batch. */
  readonly batchSize?: number;
  readonly consumerGroup?: string;
}

/** An event that was read, as far as its trace is concerned. */
export interface TracedEvent extends TraceContext {
  readonly id: string;
  readonly type: string;
}

/** What is done with it: `process` by a handler, `receive` by a consumer. */
export interface ProcessSpanOptions extends Destination {
  readonly operation?: 'process' | 'receive';
  /** The handler, where there is one: part of the span's name. */
  readonly handler?: string;
  /** Whether a trace of its own begins, linked to the event's: it is handled long after, and by somebody else's wish. */
  readonly apart?: boolean;
}

const tracer = () => trace.getTracer('@causeway/telemetry');

const attributesOf = (destination: Destination, type: string, name: string) => ({
  'messaging.system': 'kafka',
  'messaging.destination.name': destination.destination,
  'messaging.operation.type': type,
  'messaging.operation.name': name,
  ...(destination.partition !== undefined && { 'messaging.destination.partition.id': String(destination.partition) }),
  ...(destination.offset !== undefined && { 'messaging.kafka.offset': Number(destination.offset) }),
  ...(destination.batchSize !== undefined && { 'messaging.batch.message_count': destination.batchSize }),
  ...(destination.consumerGroup !== undefined && { 'messaging.consumer.group.name': destination.consumerGroup }),
});

/**
 * A span for one send of a batch, linked to the writes whose events it carries: they belong to many traces. A batch of
 * one trace continues it instead, so that a single request is one connected trace.
 *
 * @param destination - topic, partition, batch size
 * @param events - what is sent
 * @returns the span; end it with {@link endSpan}
 */
export const startProducerSpan = (destination: Destination, events: readonly TraceContext[]): Span => {
  const causes = events.map((each) => parseTraceparent(each.traceparent)).filter((each) => each !== undefined);
  const [only] = causes;
  const sampled = causes.filter((each) => each.traceFlags === 1);
  const oneTrace = only !== undefined && causes.every(({ traceId }) => traceId === only.traceId);
  const parent = oneTrace ? trace.setSpanContext(ROOT_CONTEXT, only) : ROOT_CONTEXT;
  return tracer().startSpan(
    `send ${destination.destination}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: attributesOf(destination, 'send', 'send'),
      ...(!oneTrace && { links: sampled.slice(0, 128).map((each) => ({ context: each })) }),
    },
    parent,
  );
};

/**
 * Ends a span.
 *
 * @param error - why it failed; absent where it did not
 */
export const endSpan = (span: Span, error?: unknown): void => {
  if (error !== undefined && span.isRecording()) {
    const name = error instanceof Error ? error.name : 'Error';
    span.setStatus({ code: SpanStatusCode.ERROR, message: name });
    span.setAttribute('error.type', name);
  }
  span.end();
};

/**
 * Runs a function in a span of its own, a child of what runs now.
 *
 * @param name - low in variety: never an id
 * @returns what the function gives; its failure marks the span and is passed on
 */
export const withSpan = async <Result>(
  name: string,
  attributes: Readonly<Record<string, string | number | boolean>>,
  body: (span: Span) => Promise<Result> | Result,
): Promise<Result> => tracer().startActiveSpan(name, { attributes }, (span) => runIn(span, () => body(span)));

const runIn = async <Result>(span: Span, body: () => Promise<Result> | Result): Promise<Result> => {
  try {
    const result = await body();
    endSpan(span);
    return result;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
};

/**
 * Runs a handler in a consumer span that continues the trace of the event's write: what the handler records goes on in
 * the same trace.
 *
 * @param event - its `traceparent` and `tracestate` name the parent
 * @param options - topic, partition, offset, group, handler
 * @param body - the handler
 */
export const withProcessSpan = async <Result>(
  event: TracedEvent,
  options: ProcessSpanOptions,
  body: (span: Span) => Promise<Result> | Result,
): Promise<Result> => {
  const operation = options.operation ?? 'process';
  const cause = parseTraceparent(event.traceparent);
  const apart = options.apart === true;
  const parent = cause === undefined || apart ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, cause);
  const links = apart && cause !== undefined ? [{ context: cause }] : [];
  const span = tracer().startSpan(`${operation} ${options.destination}`, { kind: SpanKind.CONSUMER, links }, parent);
  if (span.isRecording()) {
    span.setAttributes({
      ...attributesOf(options, operation, options.handler ?? operation),
      'messaging.message.id': event.id,
      'cloudevents.event_id': event.id,
      'cloudevents.event_type': event.type,
    });
  }
  return context.with(trace.setSpan(parent, span), () => runIn(span, () => body(span)));
};

/**
 * Runs a handler of several events in one consumer span of a trace of its own, linked to the writes of all of them: they belong to many
 * traces. https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 *
 * @param events - of the batch; at most 128 are linked
 * @param options - topic, partition, group, handler
 * @param body - the handler
 */
export const withBatchSpan = async <Result>(
  events: readonly TraceContext[],
  options: Omit<ProcessSpanOptions, 'operation' | 'apart'>,
  body: (span: Span) => Promise<Result> | Result,
): Promise<Result> => {
  const causes = events.map((each) => parseTraceparent(each.traceparent)).filter((each) => each !== undefined);
  const links = causes.slice(0, 128).map((each) => ({ context: each }));
  const span = tracer().startSpan(`process ${options.destination}`, { kind: SpanKind.CONSUMER, links }, ROOT_CONTEXT);
  if (span.isRecording()) {
    const place = { ...options, batchSize: events.length };
    span.setAttributes(attributesOf(place, 'process', options.handler ?? 'process'));
  }
  return context.with(trace.setSpan(ROOT_CONTEXT, span), () => runIn(span, () => body(span)));
};
